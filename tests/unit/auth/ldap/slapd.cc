#include "unit/auth/ldap/slapd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/unique_fd.h"

namespace berth::auth {
namespace {

constexpr std::string_view kRoot = "cn=root,dc=example,dc=org";
constexpr std::string_view kRootPassword = "root's own";

constexpr std::chrono::seconds kStartMax{20};

constexpr std::string_view kEntries = R"(dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=service,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: service
userPassword: the service

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: shared@example.org
userPassword: wonder:land

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
uid: a-bob
cn: Bob
sn: B
mail: shared@example.org
mail: bob@example.org
userPassword: builder

dn: uid=nopassword,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: nopassword
cn: None
sn: N

dn: uid=*,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: *
cn: Star
sn: S
userPassword: star

dn: uid=a)(uid\3D*,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: a)(uid=*
cn: Odd
sn: O
userPassword: odd

dn: uid=o'brien\2C jr,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: o'brien, jr
cn: O'Brien
sn: O
userPassword: brien

dn: uid=jörg müller,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: jörg müller
cn: Jörg
sn: M
userPassword: pässwörd

dn: cn=devs,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: devs
member: uid=alice,ou=people,dc=example,dc=org
member: cn=company,ou=groups,dc=example,dc=org

dn: cn=engineering,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: engineering
member: cn=devs,ou=groups,dc=example,dc=org

dn: cn=company,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: company
member: cn=engineering,ou=groups,dc=example,dc=org

dn: cn=unique,ou=groups,dc=example,dc=org
objectClass: groupOfUniqueNames
cn: unique
uniqueMember: uid=alice,ou=people,dc=example,dc=org

dn: cn=posix,ou=groups,dc=example,dc=org
objectClass: posixGroup
cn: posix
gidNumber: 100
memberUid: alice
memberUid: o'brien, jr

dn: cn=others,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: others
member: uid=bob,ou=people,dc=example,dc=org
)";

::sockaddr_in loopback(std::uint16_t port) {
    ::sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::uint16_t free_port() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::sockaddr_in address = loopback(0);
    ::socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<::sockaddr*>(&address);
    if (::bind(fd.get(), generic, size) != 0 || ::getsockname(fd.get(), generic, &size) != 0) {
        throw std::runtime_error("no free port");
    }
    return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const ::sockaddr_in address = loopback(port);
    return ::connect(fd.get(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0;
}

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        reading = UniqueFd(ends[0]);
        writing = UniqueFd(ends[1]);
    }
    UniqueFd reading, writing;
};

// The child ends with this process.
::pid_t spawn(std::vector<std::string> arguments, int input, int output) {
    std::vector<char*> pointers;
    for (std::string& argument : arguments)
        pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    const ::pid_t parent = ::getpid();
    const ::pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child > 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(input, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execvp(pointers[0], pointers.data());
    ::_exit(127);
}

std::string read_all(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ::ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::string read_file(const std::string& path) {
    return read_all(UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)).get());
}

std::string program(const std::string& name) {
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
        if (std::filesystem::exists(folder + name)) return folder + name;
    }
    throw std::runtime_error(name + " is not installed: scripts/install-test does that");
}

void write_file(const std::string& path, std::string_view text) {
    std::ofstream(path) << text;
}

}  // namespace

std::string run_program(std::vector<std::string> arguments, std::string_view input) {
    arguments[0] = program(arguments[0]);
    Pipe in, out;
    const ::pid_t child = spawn(arguments, in.reading.get(), out.writing.get());
    out.writing.reset();
    in.reading.reset();
    // What the tests write fits a pipe.
    if (::write(in.writing.get(), input.data(), input.size()) !=
        static_cast<::ssize_t>(input.size())) {
        throw std::runtime_error("write to " + arguments[0]);
    }
    in.writing.reset();
    std::string output = read_all(out.reading.get());
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) throw std::runtime_error(arguments[0] + ": " + output);
    return output;
}

Slapd::Slapd(SlapdOptions options) : port_(free_port()), tls_port_(free_port()), tls_(options.tls) {
    if (tls_) make_certificate();
    write_configuration(options);
    start();
    run_program({"ldapadd", "-x", "-D", std::string(kRoot), "-w", std::string(kRootPassword), "-H",
                 "ldap://" + host()},
                kEntries);
}

Slapd::~Slapd() {
    stop();
}

void Slapd::write_configuration(const SlapdOptions& options) {
    std::filesystem::create_directory(directory_.file("data"));
    std::string text;
    for (const char* schema : {"core", "cosine", "nis", "inetorgperson"}) {
        text += "include /etc/ldap/schema/" + std::string(schema) + ".schema\n";
    }
    text += "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\n";
    if (tls_) {
        text += "TLSCertificateFile " + directory_.file("server.crt") + "\nTLSCertificateKeyFile " +
                directory_.file("server.key") + "\n";
    }
    text += "database mdb\nmaxsize 16777216\ndbnosync\nsuffix \"dc=example,dc=org\"\nrootdn \"" +
            std::string(kRoot) + "\"\nrootpw \"" + std::string(kRootPassword) + "\"\ndirectory " +
            directory_.file("data") + "\noverlay memberof\n";
    text += "access to attrs=userPassword by anonymous auth by * none\n";
    text += options.anonymous ? "access to * by * read\n"
                              : "access to * by dn.exact=\"cn=service,dc=example,dc=org\" read"
                                " by self read by * none\n";
    write_file(directory_.file("slapd.conf"), text);
}

void Slapd::make_certificate() {
    const auto file = [this](const char* name) { return directory_.file(name); };
    run_program({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                 "/CN=Test authority", "-keyout", file("ca.key"), "-out", file("ca.crt"), "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign"});
    run_program({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                 "-nodes", "-subj", "/CN=directory", "-keyout", file("server.key"), "-out",
                 file("server.csr")});
    write_file(file("server.ext"), "subjectAltName=DNS:directory.example.org,IP:127.0.0.1\n");
    run_program({"openssl", "x509", "-req", "-in", file("server.csr"), "-days", "30", "-CA",
                 file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile",
                 file("server.ext"), "-out", file("server.crt")});
}

// "slapd starting" comes before it listens, so that only a connection tells.
void Slapd::start() {
    const std::string log = directory_.file("slapd.log");
    const UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const UniqueFd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    std::string urls = "ldap://" + host() + "/";
    if (tls_) urls += " ldaps://" + tls_host() + "/";
    process_ =
        spawn({program("slapd"), "-h", urls, "-f", directory_.file("slapd.conf"), "-d", "none"},
              nothing.get(), output.get());
    const auto deadline = std::chrono::steady_clock::now() + kStartMax;
    while (!listens(port_) || (tls_ && !listens(tls_port_))) {
        if (::waitpid(process_, nullptr, WNOHANG) != 0 ||
            std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("slapd does not start: " + read_file(log));
        }
        ::poll(nullptr, 0, 1);
    }
}

void Slapd::stop() {
    if (process_ == 0) return;
    ::kill(process_, SIGTERM);
    ::kill(process_, SIGCONT);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
}

void Slapd::freeze() {
    ::kill(process_, SIGSTOP);
}
void Slapd::thaw() {
    ::kill(process_, SIGCONT);
}

void Slapd::change(std::string_view ldif) const {
    run_program({"ldapmodify", "-x", "-e", "relax", "-D", std::string(kRoot), "-w",
                 std::string(kRootPassword), "-H", "ldap://" + host()},
                ldif);
}

void Slapd::set_password(const std::string& dn, const std::string& password) const {
    change("dn: " + dn + "\nchangetype: modify\nreplace: userPassword\nuserPassword: " + password +
           "\n");
}

}  // namespace berth::auth
