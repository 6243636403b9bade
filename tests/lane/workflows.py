#!/usr/bin/python3
"""workflows.py FOLDER OUT: habits of the workflows that no linter knows.

Prints one line for each finding, exits 1 if there is one.  The shell of each `run:` is
written to OUT, for shellcheck.
"""
import pathlib
import re
import sys

import yaml

folder, out = map(pathlib.Path, sys.argv[1:3])
found = 0


def finding(where, what):
    global found
    found += 1
    print(f"{where}: {what}")


def trigger(flow):
    return flow.get("on", flow.get(True)) or {}


def called(where, job):
    """A workflow of ours that is called gets what it asks for, and nothing else."""
    path = folder / pathlib.Path(job["uses"]).name
    if not path.exists():
        return finding(where, f"calls {path}, which is not there")
    call = trigger(yaml.safe_load(path.read_text()))["workflow_call"]
    for kind, given in (("inputs", job.get("with", {})), ("secrets", job.get("secrets", {}))):
        asked = call.get(kind, {})
        for name in set(given) - set(asked):
            finding(where, f"{path.name} has no {kind[:-1]} {name}")
        for name, how in asked.items():
            if name not in given and (how.get("required") or kind == "secrets"):
                finding(where, f"{path.name} gets no {kind[:-1]} {name}")


def step(where, s, n):
    uses = s.get("uses", "")
    if uses and not uses.startswith("./") and not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", uses):
        finding(where, f"{uses} is not pinned by a commit")
    if uses.startswith("actions/checkout@") and s["with"].get("persist-credentials") is not False:
        finding(where, "a checkout that leaves its token behind")
    if "${{" in s.get("run", ""):
        finding(where, "an expression inside a run: give it by env")
    if "run" in s:
        (out / f"{where.replace(' ', '-')}-{n}.sh").write_text("#!/bin/bash -e\n" + s["run"] + "\n")


for path in sorted(folder.glob("*.yml")):
    text = path.read_text()
    flow = yaml.safe_load(text)
    if flow.get("permissions") != {}:
        finding(path.name, "permissions: {} is not on top")
    if "pull_request_target" in trigger(flow):
        finding(path.name, "pull_request_target gives strangers our secrets")
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"uses: [\w-]+/", line) and not line.lstrip().startswith("#") \
                and not re.search(r"# v\d+\.\d+\.\d+$", line):
            finding(f"{path.name}:{number}", "a commit without its version behind it")
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
        finding("deploy-ecs.yml", f"the guard does not ask for {part}")
if "needs.on-main.result == 'success'" not in jobs["deploy"]["if"]:
    finding("deploy-ecs.yml", "deploy does not wait for the guard")
sys.exit(found > 0)
