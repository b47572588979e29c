berth_test(NAME jobs_test SRCS unit/jobs/upload_expiry_test.cc LIBS berth_jobs)
