"""The subcommands of `berth policy`: explain, test, lint, diff; no server is needed but for the audit log."""

import json
import re

import pytest
from images import Image
from server import BINARY, USERS, Failed, Server, run, secure_config
from wire import Wire

RULES = [
    {"name": "devs push", "subjects": ["group:dev"], "actions": ["pull", "push"], "repositories": ["team/**"]},
    {
        "name": "CI",
        "subjects": ["oidc:github repo=org/app ref=refs/heads/main", "robot:ci"],
        "actions": ["push"],
        "repositories": ["team/app"],
    },
    {
        "name": "office",
        "subjects": ["user:alice"],
        "actions": ["delete"],
        "addresses": ["10.0.0.0/8"],
        "expires": "2090-01-01",
    },
    {"name": "final", "effect": "deny", "subjects": ["everyone"], "actions": ["overwrite"], "tags": ["v*"]},
]


def berth(*args):
    """Exit code and what was printed, errors too."""
    try:
        return 0, run([BINARY, "policy", *args], timeout=30)
    except Failed as failure:
        return failure.code, failure.output


def write_config(path, rules):
    config = {"version": 0.1, "storage": {"inmemory": {}}, "http": {"addr": ":0"}, "policy": rules}
    path.write_text(json.dumps(config))
    return str(path)


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path / "config.yml", RULES)


@pytest.mark.parametrize(
    "args, code, says",
    [
        (["dora", "push", "team/app:1", "--group", "dev"], 0, "create: allowed, the rule 'devs push' allows dora"),
        (["dora", "push", "team/app:1"], 1, "no rule allows dora"),
        (["dora", "push", "team/app:v1", "--group", "dev"], 1, "'final' forbids dora to overwrite"),
        (["ci", "create", "team/app:1", "--robot"], 0, "'CI' allows ci"),
        (["ci", "create", "team/app:1"], 1, "no rule allows"),
        (
            ["w", "create", "team/app", "--oidc", "github", "--claim", "repository=org/app", "--claim",
             "ref=refs/heads/main"], 0, "'CI' allows w",
        ),
        (["w", "create", "team/app", "--oidc", "github", "--claim", "repository=org/app"], 1, "no rule allows"),
        (["alice", "delete", "team/app", "--address", "10.1.2.3"], 0, "'office' allows"),
        (["alice", "delete", "team/app", "--address", "11.1.2.3"], 1, "no rule allows"),
        (["alice", "delete", "team/app", "--address", "10.1.2.3", "--at", "2090-01-01"], 1, "no rule allows"),
        (["dora", "create", "team/app", "--group", "dev", "--allow", "pull:**"], 1, "this token does not allow dora"),
        (["dora", "pul", "team/app"], 1, "did you mean 'pull'"),
        (["dora", "pull", "team/app", "--address", "here"], 1, "no IP address"),
        (["dora", "pull", "team/app", "--at", "soon"], 1, "no time"),
    ],
)  # fmt: skip
def test_explains(config, args, code, says):
    assert (code, True) == ((got := berth("explain", *args, "--config", config))[0], says in got[1]), got


def test_explains_each_rule(config):
    code, said = berth("explain", "dora", "create", "team/app:v1", "--group", "dev", "--verbose", "--config", config)
    assert code == 0
    assert re.search(r"devs push +allow +decides", said)
    assert re.search(r"office +allow +other action, other subject, other address", said)
    code, said = berth("explain", "dora", "pull", "team/app:1", "--group", "dev", "--json", "--config", config)
    answer = json.loads(said)["decisions"][0]
    assert (answer["allowed"], answer["rule"]) == (True, "devs push")
    assert answer["rules"][3] == {"rule": "final", "effect": "deny", "why": ["other action", "other tag"]}


EXPECTATIONS = """\
- {user: dora, groups: [dev], action: [pull, create], repository: team/app, tag: v1, allowed: true, rule: devs push}
- {user: dora, groups: [dev], action: overwrite, repository: team/app, tag: v1, allowed: false, rule: final}
- {action: pull, repository: team/app, allowed: false}
- {robot: ci, action: push, repository: team/app, allowed: true}
- oidc: github
  claims: {repository: org/app, ref: refs/heads/main}
  action: push
  repository: team/app
  allowed: true
- {user: alice, address: 10.0.0.1, at: 2089-12-31, action: delete, repository: a, allowed: true}
"""


def test_holds_the_policy_against_expectations(config, tmp_path):
    table = tmp_path / "expectations.yml"
    table.write_text(EXPECTATIONS)
    assert berth("test", str(table), "--config", config) == (0, "6 expectations are met\n")

    table.write_text(EXPECTATIONS.replace("rule: devs push", "rule: CI").replace("89-12", "90-12"))
    code, said = berth("test", str(table), "--config", config)
    assert code == 1
    assert "expectations.yml:1: pull should be decided by the rule 'CI', but the rule 'devs push' allows dora" in said
    assert "expectations.yml:10: delete should be allowed, but no rule allows alice" in said
    assert "2 of 6 expectations are not met" in said


@pytest.mark.parametrize(
    "line, says",
    [
        ("user: a", "it must be a list"),
        ("- {user: a, action: pull}", r":1: allowed is missing"),
        ("- {user: a, allowed: true}", r":1: action is missing"),
        ("- {user: a, action: fly, allowed: true}", r":1: action: unknown action 'fly'"),
        ("- {usr: a, action: pull, allowed: true}", r":1: usr: is no key; did you mean 'user'"),
        ("- {user: a, action: pull, repository: A, allowed: true}", r":1: repository: "),
        ("- {user: a, action: pull, allowed: perhaps}", r":1: allowed: "),
        ("- {user: a, claims: {x: y}, action: pull, allowed: true}", r":1: claims: only a workload"),
        ("- {user: a, robot: b, action: pull, allowed: true}", r":1: robot: "),
    ],
)
def test_says_what_is_wrong_with_an_expectation(config, tmp_path, line, says):
    table = tmp_path / "expectations.yml"
    table.write_text(line + "\n")
    code, said = berth("test", str(table), "--config", config)
    assert code == 1 and re.search(says, said), said


def test_lints(config, tmp_path):
    flawed = write_config(
        tmp_path / "flawed.yml",
        [
            {"name": "all", "subjects": ["everyone"], "actions": ["pull"]},
            {"name": "some", "subjects": ["anonymous"], "actions": ["pull"], "repositories": ["team/**"]},
            {"name": "old", "subjects": ["everyone"], "actions": ["push"], "expires": "2020-01-01"},
            {"name": "nobody", "subjects": ["oidc:github"], "actions": ["push"]},
        ],
    )
    code, said = berth("lint", "--config", flawed)
    assert code == 1
    assert "rule 'some': it changes nothing: the rule 'all' before it" in said
    assert "rule 'old': it has expired" in said
    assert "rule 'nobody': nobody who can log in is one of its subjects" in said
    assert "rule 'all'" not in said.replace("the rule 'all'", "")
    assert "policy 'old': it has expired" in run([BINARY, "config", "check", flawed])
    good = write_config(tmp_path / "good.yml", [{"name": "all", "subjects": ["everyone"], "actions": ["pull"]}])
    assert berth("lint", "--config", good) == (0, "nothing to say about 1 rule\n")


def test_says_what_another_policy_would_change(tmp_path):
    log = tmp_path / "audit.log"
    with Server(tmp_path / "server", {**secure_config(tmp_path), "audit": {"path": str(log)}}) as server:
        wire = Wire(server, "jenkins", USERS["jenkins"])
        Image("policy").push(wire, "team/app", "1.0")
        wire.close()
    same = {**secure_config(tmp_path), "version": 0.1, "storage": {"inmemory": {}}, "http": {"addr": ":0"}}
    path = tmp_path / "next.yml"
    path.write_text(json.dumps(same))
    code, said = berth("diff", str(path), "--audit", str(log))
    assert code == 0 and "all answered as before" in said

    same["policy"] = [{"name": "CI", "subjects": ["user:jenkins"], "actions": ["pull", "push"], "tags": ["v*"]}]
    path.write_text(json.dumps(same))
    code, said = berth("diff", str(path), "--audit", str(log))
    assert code == 1
    assert re.search(r"1 +jenkins +create +team/app:1.0 +allowed by 'CI pushes' +denied\n", said), said
    assert re.search(r"1 of \d+ requests would be answered otherwise", said)
    code, said = berth("diff", str(path), "--audit", str(log), "--json")
    assert code == 1 and '"before": {' in said
