berth_test(NAME io_test
    SRCS unit/io/crash_directory_test.cc unit/io/directory_lock_test.cc unit/io/directory_test.cc
        unit/io/measured_directory_test.cc
    LIBS berth_io)
