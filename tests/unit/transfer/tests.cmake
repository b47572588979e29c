berth_test(NAME transfer_test
    SRCS unit/transfer/export_test.cc unit/transfer/files_test.cc unit/transfer/import_test.cc
        unit/transfer/words_test.cc
    LIBS berth_transfer)
