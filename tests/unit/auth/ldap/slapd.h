// Slapd: a real OpenLDAP server for one test, on a free port of 127.0.0.1 with its data in a
// temporary directory.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/temporary_directory.h"

namespace berth::auth {

// Runs a program to its end with `input`; throws with what it wrote if it fails.
std::string run_program(std::vector<std::string> arguments, std::string_view input = {});

struct SlapdOptions {
    bool tls = false;        // StartTLS, and ldaps on another port
    bool anonymous = false;  // anybody may read
};

// Everything below dc=example,dc=org; cn=service with the password "the service" may read it. The
// alphabet of users and groups stands in slapd.cc.
class Slapd {
  public:
    explicit Slapd(SlapdOptions options = {});
    ~Slapd();

    std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
    std::string tls_host() const { return "127.0.0.1:" + std::to_string(tls_port_); }
    std::string ca() const { return directory_.file("ca.crt"); }

    void start();
    void stop();
    void freeze();  // it neither answers nor closes
    void thaw();
    // LDIF changes, as the directory's administrator.
    void change(std::string_view ldif) const;
    void set_password(const std::string& dn, const std::string& password) const;

  private:
    void write_configuration(const SlapdOptions& options);
    void make_certificate();

    TemporaryDirectory directory_;
    std::uint16_t port_;
    std::uint16_t tls_port_;
    bool tls_;
    ::pid_t process_ = 0;
};

}  // namespace berth::auth
