berth_test(NAME index_test
    SRCS unit/store/index/kill_test.cc unit/store/index/schema_test.cc
        unit/store/index/sqlite_adoption_test.cc
        unit/store/index/sqlite_index_test.cc unit/store/index/sqlite_test.cc
        unit/store/index/write_queue_test.cc support/index_check.cc
    LIBS berth_store_index)
berth_test(NAME blob_test
    SRCS unit/store/blob/directory_sync_test.cc unit/store/blob/file_blob_store_test.cc
        unit/store/blob/upload_state_test.cc
    LIBS berth_store_blob)
berth_test(NAME store_cache_test
    SRCS unit/store/cache/fake_redis.cc unit/store/cache/redis_test.cc
    LIBS berth_store_cache)
berth_test(NAME links_test
    SRCS unit/store/links/links_test.cc unit/store/links/write_links_test.cc
    LIBS berth_store_links)
