berth_test(NAME index_test
    SRCS unit/store/index/kill_test.cc unit/store/index/schema_test.cc
        unit/store/index/sqlite_index_test.cc unit/store/index/sqlite_test.cc
        unit/store/index/write_queue_test.cc support/index_check.cc
    LIBS berth_store_index)
berth_test(NAME blob_test
    SRCS unit/store/blob/directory_sync_test.cc unit/store/blob/file_blob_store_test.cc
        unit/store/blob/upload_state_test.cc
    LIBS berth_store_blob)
