berth_test(NAME api_test
    SRCS unit/api/caller_test.cc unit/api/error_table_test.cc unit/api/location_test.cc
        unit/api/paging_test.cc unit/api/router_test.cc http/api_access_test.cc http/api_admin_test.cc http/api_answer_test.cc http/api_audit_test.cc http/api_count_test.cc http/api_event_test.cc http/debug_test.cc
        http/api_listing_test.cc http/api_manifest_test.cc http/api_pull_test.cc http/api_token_test.cc
        http/api_upload_test.cc
        support/http_exchange.cc
    LIBS berth_api)
