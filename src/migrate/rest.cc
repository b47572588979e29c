// What no theme has spoken of: directives that Berth needs no counterpart for, and all others.
#include <algorithm>
#include <array>
#include <span>

#include "migrate/site.h"

namespace berth::migrate {

namespace {

struct Row {
    std::string_view start;  // of the directive's name, in lower case
    std::string_view text;
};

// The first that fits counts.
constexpr std::array kNeedless{
    Row{"servername", "Berth answers to every name"},
    Row{"serveralias", "Berth answers to every name"},
    Row{"servertokens", "Berth tells nobody its version"},
    Row{"serversignature", "Berth tells nobody its version"},
    Row{"serveradmin", "it stands in error pages, which Berth does not have"},
    Row{"usecanonicalname", "http.host, if Locations must always name the same host"},
    Row{"namevirtualhost", "Berth answers to every name"},
    Row{"loadmodule", "Berth is one program"},
    Row{"proxy", "Berth passes nothing on"},
    Row{"balancermember", "Berth passes nothing on"},
    Row{"sslproxy", "Berth passes nothing on"},
    Row{"nokeepalive", "Berth passes nothing on"},
    Row{"requestheader", "there is nothing behind Berth that would read it"},
    Row{"sslsession", "OpenSSL's own way with sessions is used"},
    Row{"sslcompression", "never used"},
    Row{"sslinsecurerenegotiation", "never allowed"},
    Row{"sslrandomseed", "OpenSSL takes care of it"},
    Row{"ssloptions", "nothing behind Berth reads these variables"},
    Row{"sslverifydepth", "OpenSSL's default counts"},
    Row{"sslrequiressl", "the listener speaks TLS only"},
    Row{"sslcarevocationcheck", "clients are asked for no certificate"},
    Row{"logformat", "the access log has Apache's combined format"},
    Row{"errorlogformat", "log.formatter"},
    Row{"maxkeepaliverequests", "connections are kept as long as http.timeouts.idle says"},
    Row{"limitrequestline", "http.limits.headerbytes, for the whole head of a request"},
    Row{"limitrequestfields", "http.limits.headerbytes, for the whole head of a request"},
    Row{"limitxmlrequestbody", "there is no XML"},
    Row{"maxrequestworkers", "http.limits.connections"},
    Row{"maxclients", "http.limits.connections"},
    Row{"serverlimit", "http.limits.connections"},
    Row{"startservers", "Berth is one process"},
    Row{"threadsperchild", "http.threads"},
    Row{"minspare", "Berth is one process"},
    Row{"maxspare", "Berth is one process"},
    Row{"maxconnectionsperchild", "Berth is one process"},
    Row{"pidfile", "the service manager knows it"},
    Row{"mutex", "Berth is one process"},
    Row{"user", "the service manager's: the user that Berth runs as"},
    Row{"group", "the service manager's: the user that Berth runs as"},
    Row{"documentroot", "Berth serves no files"},
    Row{"directoryindex", "Berth serves no files"},
    Row{"options", "Berth serves no files"},
    Row{"allowoverride", "Berth serves no files"},
    Row{"fileetag", "Berth serves no files"},
    Row{"enablesendfile", "always used where it can be"},
    Row{"enablemmap", "Berth reads files its own way"},
    Row{"acceptpathinfo", "Berth serves no files"},
    Row{"allowencodedslashes", "no name of a registry has such a slash"},
    Row{"adddefaultcharset", "answers name their type"},
    Row{"addtype", "answers name their type"},
    Row{"typesconfig", "answers name their type"},
    Row{"hostnamelookups", "names are never looked up"},
    Row{"traceenable", "TRACE is refused"},
    Row{"expires", "what a registry sends is not cached by time"},
    Row{"cache", "Berth has its own caches"},
    Row{"deflate", "layers are compressed already"},
    Row{"addoutputfilterbytype", "layers are compressed already"},
    Row{"setoutputfilter", "layers are compressed already"},
    Row{"setenv", "nothing behind Berth reads variables"},
    Row{"unsetenv", "nothing behind Berth reads variables"},
    Row{"passenv", "nothing behind Berth reads variables"},
    Row{"browsermatch", "nothing behind Berth reads variables"},
    Row{"authname", "not in force"},
    Row{"authgroupfile", "not in force: no Require names a group, or nobody logs in"},
    Row{"authldap", "not in force"},
    Row{"ldap", "not in force"},
    Row{"auth", "not in force"},
    Row{"require", "not in force: another section replaces it, or it is about other methods"},
    Row{"allow", "not in force: another section replaces it, or it is about other methods"},
    Row{"deny", "not in force: another section replaces it, or it is about other methods"},
};

constexpr std::array kLost{
    Row{"rewrite", "Berth rewrites and redirects nothing"},
    Row{"redirect", "Berth redirects nothing"},
    Row{"alias", "Berth serves no files"},
    Row{"scriptalias", "Berth runs no programs"},
    Row{"errordocument", "errors have the registry's own form, which clients read"},
    Row{"protocols", "Berth speaks HTTP/1.1"},
    Row{"h2", "Berth speaks HTTP/1.1"},
    Row{"sslusestapling", "no OCSP answers are stapled"},
    Row{"sslstapling", "no OCSP answers are stapled"},
    Row{"sslocsp", "client certificates are not looked up by OCSP"},
    Row{"sslcarevocation", "revoked client certificates are not known"},
    Row{"sslusername", "write auth.certificates if certificates are to make users"},
    Row{"sslopensslconfcmd", "OpenSSL's defaults count"},
    Row{"sslpassphrasedialog", "the key must not be encrypted"},
    Row{"sslstrictsnivhostcheck", "Berth answers to every name"},
    Row{"sec", "there is no ModSecurity"},
    Row{"md", "Berth fetches no certificates: use certbot, and name its files in http.tls"},
    Row{"header", "http.headers go with every answer; write it there if every answer may have it"},
};

const Row* find(std::span<const Row> rows, std::string_view key) {
    const auto it =
        std::ranges::find_if(rows, [&](const Row& row) { return key.starts_with(row.start); });
    return it == rows.end() ? nullptr : &*it;
}

}  // namespace

void report_rest(const std::vector<Directive>& directives, Site& site) {
    for (const auto& directive : directives) {
        if (!site.report.has(directive)) {
            if (const auto* row = find(kLost, directive.key)) {
                site.report.lost(directive, std::string(row->text));
            } else if (const auto* known = find(kNeedless, directive.key)) {
                site.report.needless(directive, std::string(known->text));
            } else {
                site.report.lost(directive, "not known here: look whether the registry needs it");
            }
        }
        report_rest(directive.children, site);
    }
}

}  // namespace berth::migrate
