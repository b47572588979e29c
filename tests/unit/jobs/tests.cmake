berth_test(NAME jobs_test SRCS unit/jobs/upload_expiry_test.cc LIBS berth_jobs)
berth_test(NAME jobs_health_test
    SRCS http/sample_handler.cc support/http_exchange.cc unit/jobs/health_board_test.cc
        unit/jobs/health_test.cc unit/net/net_support.cc
    LIBS berth_jobs)
berth_test(NAME notifications_test
    SRCS unit/jobs/delivery_test.cc unit/jobs/envelope_test.cc unit/jobs/notifications_kill_test.cc
        unit/jobs/notifications_test.cc
        unit/jobs/pull_buffer_test.cc
    LIBS berth_jobs nlohmann_json::nlohmann_json)
