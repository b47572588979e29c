berth_test(NAME http_unit_test
    SRCS unit/http/chunked_test.cc unit/http/head_test.cc unit/http/message_test.cc unit/http/range_test.cc
         unit/http/target_test.cc
    LIBS berth_http)
berth_test(NAME http_client_test
    SRCS http/sample_handler.cc support/http_exchange.cc unit/http/client_test.cc unit/net/net_support.cc
    LIBS berth_http)
