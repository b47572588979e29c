berth_test(NAME logging_test
    SRCS unit/logging/forwarder_test.cc unit/logging/journal_entry_test.cc unit/logging/journald_test.cc
        unit/logging/mail_message_test.cc unit/logging/mail_sink_test.cc unit/logging/syslog_line_test.cc
        unit/logging/syslog_test.cc
    LIBS berth_logging)
