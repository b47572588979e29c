berth_test(NAME index_test
    SRCS unit/store/index/kill_test.cc unit/store/index/schema_test.cc
        unit/store/index/sqlite_index_test.cc unit/store/index/sqlite_test.cc
        unit/store/index/write_queue_test.cc support/index_check.cc
    LIBS berth_store_index)
