#!/usr/bin/python3
"""workflows.py TREE OUT: rules for workflows and action.yml that no linter knows.

Prints one line for each finding, exits 1 if there is one.  The shell of each `run:` is
written to OUT, for shellcheck.
"""
import pathlib
import re
import sys
import textwrap

import yaml

tree, out = map(pathlib.Path, sys.argv[1:3])
found = 0


def finding(where, what):
    global found
    found += 1
    print(f"{where}: {what}")


def trigger(flow):
    return flow.get("on", flow.get(True)) or {}


def given(where, what, kind, asked, gives):
    """A workflow or action of ours gets its required inputs, and no unknown ones."""
    for name in set(gives) - set(asked):
        finding(where, f"{what} has no {kind[:-1]} {name}")
    for name, how in asked.items():
        if name not in gives and (how.get("required") or kind == "secrets"):
            finding(where, f"{what} gets no {kind[:-1]} {name}")


def called(where, job):
    path = folder / pathlib.Path(job["uses"]).name
    if not path.exists():
        return finding(where, f"calls {path}, which does not exist")
    call = trigger(yaml.safe_load(path.read_text()))["workflow_call"]
    given(where, path.name, "inputs", call.get("inputs", {}), job.get("with", {}))
    given(where, path.name, "secrets", call.get("secrets", {}), job.get("secrets", {}))
    if path.name == "lane.yml":
        deploys(where, job, job["with"])


def deploys(where, job, inputs):
    """Requests of one target queue: none may replace another that waits."""
    if job.get("concurrency", {}).get("queue") != "max":
        finding(where, "deploys without a concurrency group of its own with queue: max")
    if not re.search(r"pushed_at|workflow_run\.created_at", inputs.get("seq", "")):
        finding(where, "seq is not the time of the push")


def step(where, s, n):
    uses = s.get("uses", "")
    if uses == "./":
        given(where, "action.yml", "inputs", action["inputs"], s.get("with", {}))
    elif uses and not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", uses):
        finding(where, f"{uses} is not pinned by a commit")
    if uses.startswith("actions/checkout@") and s["with"].get("persist-credentials") is not False:
        finding(where, "a checkout that leaves its token behind")
    if "${{" in s.get("run", ""):
        finding(where, "an expression inside a run: use env")
    if "run" in s:
        (out / f"{where.replace(' ', '-')}-{n}.sh").write_text("#!/bin/bash -e\n" + s["run"] + "\n")


action = yaml.safe_load((tree / "action.yml").read_text())
folder = tree / ".github/workflows"
for name in set(action["inputs"]) - set(re.findall(r"inputs\.([\w-]+)", str(action["runs"]))):
    finding("action.yml", f"the input {name} is not used")
for n, s in enumerate(action["runs"]["steps"]):
    step("action.yml", s, n)
    for name in s.get("env", {}):
        if not re.search(rf"\b{name}\b", (tree / "deploy/ci-deploy.sh").read_text()):
            finding("action.yml", f"ci-deploy.sh does not read {name}")

for path in sorted(folder.glob("*.yml")):
    text = path.read_text()
    flow = yaml.safe_load(text)
    if flow.get("permissions") != {}:
        finding(path.name, "permissions: {} is not at the top")
    if "pull_request_target" in trigger(flow):
        finding(path.name, "pull_request_target gives our secrets to strangers")
    if "concurrency" in flow and "lane.yml" in text:
        finding(path.name, "concurrency of the whole workflow: a skipped run replaces a waiting one")
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"uses: [\w-]+/", line) and not line.lstrip().startswith("#") \
                and not re.search(r"# v\d+\.\d+\.\d+$", line):
            finding(f"{path.name}:{number}", "a commit without its version after it")
    for name, job in flow["jobs"].items():
        where = f"{path.name} {name}"
        if "uses" in job:
            called(where, job)
        elif "timeout-minutes" not in job:
            finding(where, "no timeout-minutes")
        for n, s in enumerate(job.get("steps", [])):
            step(where, s, n)

jobs = yaml.safe_load((folder / "deploy-ecs.yml").read_text())["jobs"]
guard = jobs["on-main"]["if"]
for part in ("conclusion == 'success'", "event == 'push'", "head_branch == 'main'",
             "head_repository.full_name == github.repository"):
    if f"github.event.workflow_run.{part}" not in guard:
        finding("deploy-ecs.yml", f"the guard does not check {part}")
if "needs.on-main.result == 'success'" not in jobs["deploy"]["if"]:
    finding("deploy-ecs.yml", "deploy does not wait for the guard")
if "build" not in yaml.safe_load((folder / "release.yml").read_text())["jobs"]["image"]["needs"]:
    finding("release.yml", "the image is pushed before its tests passed")

page = "docs/github-actions.md"
examples = [yaml.safe_load(textwrap.dedent(block)) for block in
            re.findall(r"^    jobs:\n(?:    .*\n|\n(?=    ))+", (tree / page).read_text(), re.M)]
for job in (job for flow in examples for job in flow["jobs"].values()):
    for s in job["steps"]:
        given(page, "action.yml", "inputs", action["inputs"], s["with"])
        deploys(page, job, s["with"])
if not examples:
    finding(page, "no example of a workflow")
sys.exit(found > 0)
