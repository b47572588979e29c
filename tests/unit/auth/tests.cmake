berth_test(NAME auth_test
    SRCS unit/auth/allocation_count.cc unit/auth/authenticator_test.cc
        unit/auth/authorization_test.cc unit/auth/group_file_test.cc unit/auth/keyed_hash_test.cc
        unit/auth/login_memory_test.cc unit/auth/login_throttle_test.cc
        unit/auth/password_edit_test.cc unit/auth/password_file_test.cc unit/auth/password_hash_test.cc
    LIBS berth_auth)
berth_test(NAME auth_policy_test
    SRCS unit/auth/allocation_count.cc unit/auth/policy/glob_test.cc unit/auth/policy/policy_test.cc
    LIBS berth_auth)
berth_test(NAME auth_token_test
    SRCS unit/auth/token/access_tokens_test.cc
    LIBS berth_auth)
