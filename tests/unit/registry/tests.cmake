berth_test(NAME registry_test
    SRCS unit/registry/descriptors_test.cc unit/registry/event_test.cc unit/registry/manifest_check_test.cc
        unit/registry/manifest_push_test.cc
        unit/registry/pull_cache_test.cc unit/registry/pulls_test.cc
        unit/registry/referrers_test.cc unit/registry/registry_test.cc
        unit/registry/uploads_test.cc
    LIBS berth_registry)
berth_test(NAME adoption_test
    SRCS unit/registry/adoption_test.cc unit/registry/fsck_test.cc
    LIBS berth_registry)
