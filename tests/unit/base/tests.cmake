berth_test(NAME base_test
    SRCS unit/base/control_test.cc unit/base/encoding_test.cc unit/base/log_format_test.cc unit/base/log_sink_test.cc
        unit/base/log_test.cc unit/base/nearest_test.cc unit/base/networks_test.cc unit/base/parallel_test.cc unit/base/pool_test.cc
        unit/base/random_test.cc unit/base/result_test.cc unit/base/rewrite_file_test.cc unit/base/text_test.cc unit/base/utf8_test.cc
    LIBS berth_base)
