# twilight-deploy.  `make help` lists the targets.
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS belong to the user (a distribution sets them);
# the OUR_ variables add what the program needs.

PREFIX ?= /usr/local
DESTDIR ?=
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
B := build

# WERROR=1: for CI.  STATIC=1: one binary without shared libraries.
# STATIC=1, SANITIZE=address,undefined, COVERAGE=1 and FUZZ=1 build in separate folders.
WERROR ?=
STATIC ?=
SANITIZE ?=
COVERAGE ?=
FUZZ ?=
ifneq ($(STATIC),)
B := build/static
endif
ifneq ($(SANITIZE),)
B := build/sanitize
endif
ifneq ($(COVERAGE),)
B := build/coverage
endif
ifneq ($(FUZZ),)
B := build/fuzz
CC := clang
SANITIZE := fuzzer-no-link,address,undefined
endif

VERSION := $(shell cat VERSION)

SRC := \
	src/cli/cli.c \
	src/cli/frozen.c \
	src/cli/handlers.c \
	src/cli/help.c \
	src/cli/hooks.c \
	src/cli/options.c \
	src/cli/output.c \
	src/cli/people.c \
	src/cli/records.c \
	src/cli/report.c \
	src/cli/status.c \
	src/cli/wait.c \
	src/config/config.c \
	src/config/conflicts.c \
	src/config/keys.c \
	src/config/sections.c \
	src/config/strays.c \
	src/config/target.c \
	src/config/value.c \
	src/deploy/ask.c \
	src/deploy/choose.c \
	src/deploy/commit.c \
	src/deploy/drain.c \
	src/deploy/freeze.c \
	src/deploy/identity.c \
	src/deploy/look.c \
	src/deploy/observe.c \
	src/deploy/phases.c \
	src/deploy/predeploy.c \
	src/deploy/candidate.c \
	src/deploy/instance.c \
	src/deploy/quarantine.c \
	src/deploy/recover.c \
	src/deploy/restart.c \
	src/deploy/session.c \
	src/deploy/signature.c \
	src/deploy/survey.c \
	src/deploy/undo.c \
	src/deploy/verify.c \
	src/dotenv/edit.c \
	src/dotenv/file.c \
	src/dotenv/mask.c \
	src/dotenv/read.c \
	src/dotenv/scan.c \
	src/engine/blind.c \
	src/engine/compose/api.c \
	src/engine/compose/apply.c \
	src/engine/compose/compose.c \
	src/engine/compose/containers.c \
	src/engine/compose/host.c \
	src/engine/compose/images.c \
	src/engine/compose/oneoff.c \
	src/engine/compose/inspect.c \
	src/engine/compose/retain.c \
	src/engine/docker.c \
	src/engine/detached.c \
	src/engine/open.c \
	src/engine/oneshot.c \
	src/engine/pull.c \
	src/health/answer.c \
	src/health/body.c \
	src/health/dial.c \
	src/health/http.c \
	src/health/probe.c \
	src/health/said.c \
	src/health/url.c \
	src/health/version.c \
	src/request/choose.c \
	src/request/extra.c \
	src/request/request.c \
	src/request/tag.c \
	src/request/who.c \
	src/state/folder.c \
	src/state/freeze.c \
	src/state/history.c \
	src/state/journal.c \
	src/state/ledger.c \
	src/state/lock.c \
	src/state/member.c \
	src/state/release.c \
	src/state/trigger.c \
	src/state/uplock.c \
	src/sys/childenv.c \
	src/sys/deadline.c \
	src/sys/fault.c \
	src/sys/file.c \
	src/sys/log.c \
	src/sys/progress.c \
	src/sys/run.c \
	src/sys/signals.c \
	src/sys/text.c

UNIT := $(sort $(wildcard tests/unit/*.c))
FUZZERS := $(filter-out fuzz,$(basename $(notdir $(wildcard tests/fuzz/*.c))))

OUR_CPPFLAGS := -iquote src -D_GNU_SOURCE -DVERSION='"$(VERSION)"'
OUR_CFLAGS := -std=c11 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -fstack-protector-strong -fPIE
OUR_LDFLAGS := -pie -Wl,-z,relro -Wl,-z,now
LIBS = $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs inih jansson libbsd) -lmd
CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)

# Distributions set their own fortification; a second definition causes a warning.
ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(SANITIZE),)
OUR_CPPFLAGS += -D_FORTIFY_SOURCE=2
endif
ifneq ($(WERROR),)
OUR_CFLAGS += -Werror
endif
ifneq ($(STATIC),)
OUR_CFLAGS += -fPIC
OUR_LDFLAGS := -static-pie -Wl,-z,relro -Wl,-z,now
endif
ifneq ($(SANITIZE),)
OUR_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
OUR_LDFLAGS += -fsanitize=$(SANITIZE)
endif
ifneq ($(COVERAGE),)
OUR_CFLAGS += --coverage -O0 -fprofile-update=atomic
OUR_LDFLAGS += --coverage
endif

OBJ := $(SRC:%.c=$(B)/%.o)
MAIN := $(B)/src/main.o
UNIT_OBJ := $(UNIT:%.c=$(B)/%.o)
PROGRAM := $(B)/twilight-deploy

COMPILE = $(CC) $(OUR_CPPFLAGS) $(CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(OUR_LDFLAGS) $(LDFLAGS)

.DELETE_ON_ERROR:
.PHONY: all check check-unit check-shell check-scenarios check-lane check-engine check-install \
	check-docs check-next e2e crash crash-engine fuzz model bench bench-engine lint format analyse memcheck layers coverage deps demo \
	install uninstall dist clean help

all: $(PROGRAM) ## the program, build/twilight-deploy

$(PROGRAM): $(MAIN) $(OBJ)
	$(LINK) -o $@ $^ $(LIBS)

$(B)/unit: $(UNIT_OBJ) $(OBJ)
	$(LINK) -o $@ $^ $(CHECK_LIBS) $(LIBS)

$(B)/dotenv: $(B)/tests/e2e/dotenv.o $(OBJ)
	$(LINK) -o $@ $^ $(LIBS)

$(FUZZERS:%=$(B)/fuzz-%): $(B)/fuzz-%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/fuzz.o $(OBJ)
	$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

build/service: mocks/service.c
	@mkdir -p $(@D)
	$(CC) $(OUR_CPPFLAGS) $(CFLAGS) -static -o $@ $<

# one program with two names: the server, and the `docker` that is first on PATH
build/engine: mocks/engine.c
	@mkdir -p $(@D)
	$(CC) $(OUR_CPPFLAGS) $(OUR_CFLAGS) $(CFLAGS) -pie -o $@ $< \
	    $(shell $(PKG_CONFIG) --libs jansson)

build/mocks/docker: build/engine
	@mkdir -p $(@D)
	ln -f $< $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

-include $(OBJ:.o=.d) $(MAIN:.o=.d) $(UNIT_OBJ:.o=.d) $(FUZZERS:%=$(B)/tests/fuzz/%.d) \
    $(B)/tests/e2e/dotenv.d

check: deps ## all tests that need no Docker engine
	$(MAKE) --no-print-directory -j$$(nproc) all $(B)/unit build/engine build/mocks/docker build/service
	$(MAKE) --no-print-directory layers check-unit check-shell check-scenarios check-lane

check-unit: $(B)/unit ## the unit suites
	CK_VERBOSITY=normal tests/unit/run.sh $(B)/unit

check-shell: $(PROGRAM) build/service build/mocks/docker ## the program with a fake docker, from the command line
	tests/deps.sh python3-jsonschema jq openssl
	tests/mocks.sh
	tests/shell/run.sh $(PROGRAM)

check-scenarios: $(PROGRAM) build/service build/mocks/docker ## deploys, kills and recoveries with the fake engine
	tests/scenarios/run.sh $(PROGRAM)

check-lane: deps ## a CI job's path over ssh to the host; the workflows
	tests/deps.sh openssh-server jq shellcheck yamllint
	$(MAKE) -s $(PROGRAM) build/service build/mocks/docker
	tests/lane/run.sh $(PROGRAM)

check-install: deps ## the installer, into a folder and in a throw-away root
	tests/deps.sh openssh-server python3-yaml
	$(MAKE) -s $(PROGRAM)
	tests/install/run.sh $(PROGRAM)

check-docs: deps ## links; the runbook's commands, in throw-away roots
	tests/docs/run.sh

demo: deps ## a deploy, a bad release and a refused request, over ssh
	$(MAKE) -s $(PROGRAM) build/service build/mocks/docker
	tests/demo.sh $(PROGRAM) build/service

check-engine: deps ## end-to-end tests: real sshd, docker engine and registry
	$(MAKE) --no-print-directory $(PROGRAM) build/dotenv build/mocks/docker
	tests/e2e/run.sh $(PROGRAM)

check-next: ## unit, shell and end-to-end tests on the next Debian; NEXT=sample
	tests/next.sh $(or $(NEXT),all)

e2e: ## check-engine, check-lane, check-install and check-docs
	$(MAKE) --no-print-directory -k check-engine check-lane check-install check-docs

crash: ## a kill and a failure at every system call; CRASH=sample
	tests/deps.sh strace
	$(MAKE) -s $(PROGRAM) build/service build/mocks/docker
	tests/crash/run.sh $(PROGRAM) $(or $(CRASH),all)

crash-engine: $(PROGRAM) build/service build/mocks/docker ## an engine that fails, fake and real; CRASH=sample
	tests/deps.sh jq
	tests/crash/engine.sh $(PROGRAM) $(or $(CRASH),all) fake
	tests/crash/engine.sh $(PROGRAM) $(or $(CRASH),all) real

fuzz: ## libFuzzer targets, a minute each; FUZZ_SECONDS=N
	tests/deps.sh clang
	tests/deps.sh libclang-rt-$$(clang -dumpversion | cut -d. -f1)-dev
	$(MAKE) -s FUZZ=1 $(FUZZERS:%=build/fuzz/fuzz-%)
	tests/fuzz/run.sh $(or $(FUZZ_SECONDS),60) $(FUZZERS:%=build/fuzz/fuzz-%)

model: ## the model of the journal and its recovery, by spin; MODEL=sample
	tests/deps.sh spin
	tests/model/run.sh $(MODEL)

bench: $(PROGRAM) build/service ## speed and memory compared with a shell script, as ratios
	$(MAKE) --no-print-directory STATIC=1 build/static/twilight-deploy
	tests/bench/run.sh $(PROGRAM) build/static/twilight-deploy build/service
	tests/bench/engine.sh $(PROGRAM) build/service

bench-engine: $(PROGRAM) build/service ## outage and cost of each way to deploy; writes docs/performance.md
	tests/bench/strategies.sh $(PROGRAM) build/service docs/performance.md

layers: ## checks that no folder of src/ includes one above it
	tests/layers.sh

lint: ## shellcheck, clang, cppcheck, mandoc, formatting, style, workflows, secrets
	tests/deps.sh clang shellcheck cppcheck mandoc yamllint
	tests/deps.sh clang-format-14 || true
	$(MAKE) --no-print-directory $(PROGRAM)
	tests/lint.sh

format: ## formats all C files by .clang-format
	tests/deps.sh clang-format-14
	git ls-files '*.c' '*.h' | xargs clang-format-14 -i

analyse: ## gcc -fanalyzer, clang-tidy, cppcheck, hardening: minutes
	tests/deps.sh clang-tidy cppcheck binutils
	$(MAKE) --no-print-directory $(PROGRAM)
	$(MAKE) --no-print-directory STATIC=1 build/static/twilight-deploy
	tests/analyse.sh
	tests/hardening.sh $(PROGRAM) build/static/twilight-deploy

memcheck: ## shell harness and scenarios under valgrind; MEMCHECK=sample
	tests/deps.sh valgrind
	$(MAKE) -s $(PROGRAM) build/service build/mocks/docker
	tests/valgrind.sh $(PROGRAM) $(or $(MEMCHECK),all)

coverage: ## line coverage of src/, at least 85 %
	tests/deps.sh gcovr
	$(MAKE) -s COVERAGE=1 build/coverage/unit \
	    build/coverage/twilight-deploy build/service build/mocks/docker
	tests/coverage.sh

deps: ## installs missing packages with apt
	@tests/deps.sh

install: $(PROGRAM) ## installs into $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/twilight-deploy
	install -d $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 0644 docs/twilight-deploy.8 $(DESTDIR)$(PREFIX)/share/man/man8/

uninstall: ## removes what install installed
	rm -f $(DESTDIR)$(PREFIX)/bin/twilight-deploy \
	    $(DESTDIR)$(PREFIX)/share/man/man8/twilight-deploy.8

dist: ## build/twilight-deploy-VERSION.tar.gz from the commit
	@mkdir -p build
	git archive --prefix=twilight-deploy-$(VERSION)/ \
	    -o build/twilight-deploy-$(VERSION).tar.gz HEAD

clean: ## removes build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
	    LC_ALL=C sort -t'|' -k1,1 | awk -F'|' '{ printf "%-21s %s\n", $$1, $$2 }'
