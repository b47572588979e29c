berth_test(NAME http_unit_test
    SRCS unit/http/chunked_test.cc unit/http/head_test.cc unit/http/message_test.cc unit/http/range_test.cc
         unit/http/target_test.cc
    LIBS berth_http)
