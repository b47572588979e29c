berth_test(NAME auth_test
    SRCS unit/auth/allocation_count.cc unit/auth/authenticator_test.cc
        unit/auth/authorization_test.cc unit/auth/certificates_test.cc
        unit/auth/group_file_test.cc unit/auth/keyed_hash_test.cc
        unit/auth/login_memory_test.cc unit/auth/login_throttle_test.cc
        unit/auth/password_edit_test.cc unit/auth/password_file_test.cc unit/auth/password_hash_test.cc
    LIBS berth_auth)
berth_test(NAME auth_policy_test
    SRCS unit/auth/allocation_count.cc unit/auth/policy/glob_test.cc unit/auth/policy/grants_test.cc
        unit/auth/policy/lint_test.cc unit/auth/policy/policy_test.cc
        unit/auth/policy/rule_index_test.cc unit/auth/policy/subject_test.cc
    LIBS berth_auth)
berth_test(NAME auth_token_test
    SRCS unit/auth/token/access_tokens_test.cc
        unit/auth/token/certified_key_test.cc unit/auth/token/jwt_test.cc
        unit/auth/token/key_set_test.cc unit/auth/token/oidc_test.cc
        unit/auth/token/outside_tokens_test.cc unit/auth/token/public_key_test.cc
        unit/auth/token/scope_test.cc unit/auth/token/signing_keys_test.cc
        unit/auth/token/token_issuer_test.cc
    LIBS berth_auth)
berth_test(NAME auth_audit_test
    SRCS unit/auth/audit/audit_line_test.cc unit/auth/audit/audit_log_test.cc
        unit/auth/audit/audit_syslog_test.cc unit/auth/audit/audit_verify_test.cc
    LIBS berth_auth)
berth_test(NAME auth_ldap_test
    SRCS unit/auth/ldap/connection_test.cc unit/auth/ldap/directory_test.cc unit/auth/ldap/escape_test.cc
        unit/auth/ldap/groups_test.cc
        unit/auth/ldap/slapd.cc unit/auth/ldap/url_test.cc
    LIBS berth_auth)
