berth_test(NAME jobs_test SRCS unit/jobs/upload_expiry_test.cc LIBS berth_jobs)
berth_test(NAME jobs_health_test
    SRCS http/sample_handler.cc support/http_exchange.cc unit/jobs/health_board_test.cc
        unit/jobs/health_test.cc unit/net/net_support.cc
    LIBS berth_jobs)
