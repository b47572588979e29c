berth_test(NAME metrics_test
    SRCS unit/auth/allocation_count.cc unit/metrics/family_test.cc unit/metrics/metrics_test.cc
    LIBS berth_metrics)
