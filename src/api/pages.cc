#include "api/pages.h"

namespace berth::api {
namespace {

constexpr std::string_view kTop = R"(<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Berth</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 40em; margin: 3em auto; padding: 0 1em }
pre { background: #eee; color: #222; padding: 1em; overflow-x: auto }
</style>
<h1>Berth</h1>
<p>This is a registry of container images. It is made for docker, podman and their like:</p>
<pre>
)";

constexpr std::string_view kBottom = R"(</pre>
<p>Programs find its API below <a href="v2/">v2/</a>.</p>
</html>
)";

}  // namespace

std::string front_page(std::string_view registry) {
    std::string page(kTop);
    page.append("docker login ").append(registry).append("\n");
    page.append("docker tag my-image ").append(registry).append("/my-image:1.0\n");
    page.append("docker push ").append(registry).append("/my-image:1.0\n");
    page.append("docker pull ").append(registry).append("/my-image:1.0\n");
    page.append(kBottom);
    return page;
}

}  // namespace berth::api
