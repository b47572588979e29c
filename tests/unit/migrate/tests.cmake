berth_test(NAME migrate_test
    SRCS unit/migrate/address_set_test.cc unit/migrate/apache_parser_test.cc unit/migrate/never_wider_test.cc
        unit/migrate/scope_test.cc unit/migrate/sites_test.cc
    LIBS berth_cli)
target_compile_definitions(migrate_test PRIVATE BERTH_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
