berth_test(NAME blob_crash_test SRCS crash/blob_crash_test.cc LIBS berth_store_blob)
berth_test(NAME push_crash_test SRCS crash/push_crash_test.cc LIBS berth_registry)
