berth_test(NAME http_test
    SRCS http/sample_handler.cc http/server_life_test.cc http/server_test.cc support/http_exchange.cc
         unit/net/net_support.cc
    LIBS berth_http)
