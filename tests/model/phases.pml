/*
 * phases.pml: the phases, the undo functions and the recovery table of src/deploy,
 * for two services, as a model that spin searches whole; tests/model/run.sh runs it.
 *
 *   Client	a request: lock, recover_run(), then deploy, rollback, recover or start.
 *		KILL is a SIGKILL, or a power cut, before that step.
 *   Docker	a detached command: `pull` and `up` take the services one after the
 *		other, and outlive the client
 *   World	a container that ends; an engine that is killed; a person who edits
 *		.env or runs `up`; a boot's own `up`; a command that cannot be ended;
 *		health that is lost
 *
 * MAY_FAIL is an engine that does not answer, a disk that refuses, a fork that fails.
 * At the end nothing fails: `recover` must clear the journal, and a deploy must end.
 *
 * label		function
 *   recover, decide	recover_run(), recover(), compare_part(), decide()
 *   complete, abandon	complete(), abandon()
 *   prepare .. commit	the rows of phases.c, with enter_phase()
 *   predeploy, drain	predeploy_run(), drain_run(): only with JOB, with DRAINS
 *   candidate		candidate_run(): only with REHEARSE
 *   apply		compose_apply(): docker_desire(), prepare_start(), docker_up()
 *   undo_*		undo.c
 *   close		commit_failure(), commit_success()
 *   left		conclude_recovery()
 *   no_engine		recover_later()
 *
 * A release is a tag; an image is a number, of each service its own.  One durable write
 * is one step.  Left out: pruning, retention, time; an engine that is killed between
 * the journal's `verify` and the first look; and a deploy that begins while a container
 * ends that an earlier command told to stop.
 *
 * Without BUG_x this is the code as it is.  BUG_x injects a defect, many of them defects
 * that the code once had.  Spin must find an error in each.
 */

#ifndef KILLS
#define KILLS 1
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef EVENTS
#define EVENTS 0
#endif

#ifdef MUTABLE		/* the tag stays, its images change */
#define T_NEW 1
#else
#define T_NEW 2
#endif
#ifdef SAME		/* both tags have the same images; ONE_CHANGES: but for service 0 */
#define NEW_0 1
#else
#define NEW_0 2
#endif
#if defined(SAME) || defined(ONE_CHANGES)
#define NEW_1 1
#else
#define NEW_1 2
#endif
#ifdef BLIND
#define OBSERVES false
#else
#define OBSERVES true
#endif
#ifdef ROLLBACK
#define MAIN V_ROLLBACK
#define T_FROM T_NEW
#define T_TO 1
#else
#define MAIN V_DEPLOY
#define T_FROM 1
#define T_TO T_NEW
#endif
#ifdef POWER
#define IS_POWER true
#else
#define IS_POWER false
#endif
#ifdef CRASH
#define IS_CRASH true
#else
#define IS_CRASH false
#endif
#ifdef PERSON
#define IS_PERSON true
#else
#define IS_PERSON false
#endif
#ifdef ROT
#define IS_ROT true
#else
#define IS_ROT false
#endif
#ifdef OUTAGE
#define IS_OUTAGE true
#else
#define IS_OUTAGE false
#endif
#ifdef DOWN		/* service 1 had ended before; its image 1 always ends */
#define IS_DOWN true
#else
#define IS_DOWN false
#endif
#ifdef HUNG
#define IS_HUNG true
#else
#define IS_HUNG false
#endif
#ifdef START
#define IS_START true
#else
#define IS_START false
#endif
#ifdef SECOND
#define CLIENTS 2
#else
#define CLIENTS 1
#endif

#ifdef JOB		/* there is a pre-deploy job */
#define IS_JOB true
#else
#define IS_JOB false
#endif
#ifdef REHEARSE		/* strategy = rehearse */
#define IS_REHEARSE true
#else
#define IS_REHEARSE false
#endif
#ifdef DRAINS		/* service 0 is drained */
#define IS_DRAINS true
#else
#define IS_DRAINS false
#endif

#define NONE 0
#define PREPARE 1	/* phases */
#define PRE_DEPLOY 2
#define CANDIDATE 3
#define DRAIN 4
#define APPLY 5
#define VERIFY 6
#define REVERT 7
#define V_DEPLOY 1	/* verbs */
#define V_ROLLBACK 2
#define V_RECOVER 3
#define V_START 4
#define OK 0		/* exit codes, and results */
#define FAILED 1
#define REFUSED 2
#define BUSY 3
#define HOST 4
#define UNVERIFIED 5
#define O_GOOD 1	/* outcomes: deployed, recovered */
#define O_DISCARDED 2
#define O_ROLLED_BACK 3
#define O_UNVERIFIED 4
#define O_ABANDONED 5
#define O_REJECTED 6
#define GONE 0		/* containers */
#define CREATED 1
#define EXITED 2
#define STOPPING 3	/* told to stop by a command that was cut short: looks running */
#define RUNNING 4
#define PULL 1		/* commands */
#define DO_UP 2
#define DO_RUN 3	/* starts the job */
#define DO_TRY 4	/* starts a candidate */
#define RUNS 1		/* the container of the job, of a candidate */
#define ENDED 2

typedef Journal {
	byte phase, verb, otag, oval, ntag;
	byte oimg[2];	/* revision; 0: no container */
	bool osrv[2];	/* it ran */
	byte nimg[2];
	byte prev[2]
};

/* ---- what is there ---- */

#define REF(s, t) ref[(s) * 4 + (t)]
Journal disk;
bool hist;		/* the history has the id of the deploy in the journal... */
byte h_code;		/* ...and this code */
byte env;
byte ref[8];		/* what a reference means */
byte st[2], img[2], tag[2];
bool rec[2];		/* it is the instance that was observed */
bool good[2];		/* image 2 of a service is healthy */
bool rotten;		/* image 1 of service 0 no longer is */
bool known[4];		/* known-good, by tag */

byte job, jobs;		/* its container; how often it was started */
bool job_ok, job_seen;	/* it ends well; who ran it has seen that */
byte cand[2];		/* the candidates' containers */
bool drained;		/* the container of service 0, until it starts again */

byte lock;
byte cmd, at, res, owner, c_tag;	/* the detached command */
bool c_force, c_srv[2], hung;

byte kills = KILLS, faults = FAULTS, requests = REQUESTS, events = EVENTS;
byte calm;		/* the end: 1 recovers, 2 deploys, 3 is over */
bool boot;		/* the power was cut; nothing was started yet */

/* ---- what the checks need to know ---- */

byte b_env, b_img[2], b_ref[2];	/* before the deploy in question */
bool b_srv[2], b_agree;
bool begun, back, person, crashed, refused, outage;
byte p_env;		/* what a person wrote */
bool seen;		/* always 0; see REACH */

/* What no configuration reaches, run.sh takes for a fault of the model. */
#define REACH seen = 0

#define looks(s) (st[s] >= STOPPING)
#define sound(s, i) ((i != 2 || good[s]) && !(i == 1 && s == 0 && rotten))
#define healthy(s) sound(s, img[s])
#define agrees(s) (st[s] == GONE || (tag[s] == env && \
    (!OBSERVES || img[s] == REF(s, env))))
#define to_runs(s) (crashed || (st[s] == RUNNING && tag[s] == j.ntag && \
    (!OBSERVES || img[s] == j.nimg[s])))
#define from_runs(s) (crashed || (!OBSERVES && !b_agree) || (!b_srv[s] && (!OBSERVES || b_img[s] != 0 || st[s] <= CREATED || \
    (tag[s] == b_env && img[s] == b_ref[s]))) || \
    (b_srv[s] && st[s] == RUNNING && img[s] == b_img[s]))

/* ---- steps ---- */

inline POWER_CUT()
{
	cmd = 0; at = 0; hung = false; owner = 0; boot = true;
	drained = false;
	job_ok = job_ok && job != RUNS; job = (job == RUNS -> ENDED : job);
	cand[0] = (cand[0] == RUNS -> ENDED : cand[0]);
	cand[1] = (cand[1] == RUNS -> ENDED : cand[1]);
	if
	:: true		/* restart policies start what ran */
	:: crashed = true;
	   st[0] = (looks(0) -> EXITED : st[0]); st[1] = (looks(1) -> EXITED : st[1])
	fi;
	st[0] = (st[0] == STOPPING -> EXITED : st[0]);
	st[1] = (st[1] == STOPPING -> EXITED : st[1])
}

#define KILL \
	if \
	:: true \
	:: kills > 0 -> kills--; goto killed \
	:: IS_POWER && kills > 0 -> kills--; POWER_CUT(); goto killed \
	fi

#define MAY_FAIL(where) \
	if \
	:: true \
	:: faults > 0 -> faults--; goto where \
	fi

inline COPY(to, from)
{
	to.phase = from.phase; to.verb = from.verb; to.otag = from.otag;
	to.oval = from.oval; to.ntag = from.ntag;
	to.oimg[0] = from.oimg[0]; to.oimg[1] = from.oimg[1];
	to.osrv[0] = from.osrv[0]; to.osrv[1] = from.osrv[1];
	to.nimg[0] = from.nimg[0]; to.nimg[1] = from.nimg[1];
	to.prev[0] = from.prev[0]; to.prev[1] = from.prev[1]
}

inline FORGET(x)
{
	x.phase = 0; x.verb = 0; x.otag = 0; x.oval = 0; x.ntag = 0;
	x.oimg[0] = 0; x.oimg[1] = 0; x.osrv[0] = 0; x.osrv[1] = 0;
	x.nimg[0] = 0; x.nimg[1] = 0; x.prev[0] = 0; x.prev[1] = 0
}

inline WRITE_IT()
{
	hist = hist && disk.phase != NONE;	/* a new one has no record */
	begun = true;
	COPY(disk, j);
	back = back || j.phase == REVERT
}

/* Where it fails, the old one or the new one is there. */
#define WRITE(where) \
	if \
	:: WRITE_IT() \
	:: faults > 0 -> faults--; refused = true; goto where \
	:: faults > 0 -> faults--; refused = true; WRITE_IT(); goto where \
	fi

#define IS_BAD_OUTCOME(o) ((o) == O_REJECTED || (o) == O_ROLLED_BACK || (o) == O_UNVERIFIED)

inline RECORD(o)
{
	assert(!hist && begun);
	hist = true; h_code = rc;
	/* bad by evidence alone */
	assert(!IS_BAD_OUTCOME(o) || unjudged || evidence);
	if
	:: o == O_GOOD -> known[j.ntag] = true
	:: IS_BAD_OUTCOME(o) && !unjudged -> known[j.ntag] = false
	:: else
	fi
}

/* Ends a pull, waits for the others; HOST where that does not help. */
inline REAP()
{
#ifdef BUG_NO_REAP
	mrc = OK;
#else
	if
	:: cmd == 0 -> mrc = OK
	:: cmd == PULL && !hung -> cmd = 0; at = 0; owner = 0; hung = false; mrc = OK
	:: hung -> mrc = HOST
	fi
#endif
}

#define NO_CANDIDATES (cand[0] == GONE && cand[1] == GONE)

/* A command that is started, and waited for. */
inline COMMAND(what, t, f, s0, s1)
{
	atomic {
		KILL;
		REAP();
		if
		:: mrc == OK && faults > 0 -> faults--; mrc = HOST
		:: mrc == OK ->
			assert(cmd == 0);	/* never two */
			assert(what != DO_UP || NO_CANDIDATES);
			c_tag = t; c_force = f; c_srv[0] = s0; c_srv[1] = s1;
			at = 0; owner = me; cmd = what
		:: mrc == HOST
		fi
	};
	if
	:: mrc == HOST
	:: atomic { mrc == OK && owner == 0 -> mrc = res; res = 0 }
	:: atomic { mrc == OK && owner == me && hung -> owner = 0;
#ifdef BUG_HUNG
		mrc = HOST
#else
		mrc = FAILED
#endif
	   }
	:: atomic { mrc == OK && owner == me && kills > 0 -> kills--; goto killed }
	:: atomic { IS_POWER && mrc == OK && owner == me && kills > 0 ->
		kills--; POWER_CUT(); goto killed }
	fi
}

#define SET_TAG(s, t, i, where) \
	atomic { \
		KILL; \
		if \
		:: OBSERVES && i != 0 && REF(s, t) != i -> MAY_FAIL(where); REF(s, t) = i \
		:: else \
		fi \
	}

#ifdef BUG_DISCARD_FORGETS
#define PREV_1 0
#else
#define PREV_1 j.prev[1]
#endif
#define DISCARD(where) \
	SET_TAG(0, j.ntag, j.prev[0], where); \
	SET_TAG(1, j.ntag, PREV_1, where)

#define UNDESIRE(where) \
	atomic { \
		KILL; \
		if \
		:: env == j.ntag && env != j.oval -> \
			MAY_FAIL(where); env = j.oval; MAY_FAIL(where) \
		:: else \
		fi \
	}

#define BEFORE_APPLY (j.phase < APPLY)
/* Without an observation it is always drained. */
#define WANTS_DRAIN (IS_DRAINS && j.osrv[0] && \
    (!OBSERVES || j.oimg[0] != j.nimg[0] || j.otag != j.ntag))

/* is_rehearsed() */
#define REHEARSED(s) (IS_REHEARSE && OBSERVES && j.osrv[s] && \
    (j.oimg[s] != j.nimg[s] || j.otag != j.ntag))
#define REMOVE_CANDIDATE(s, where) \
	atomic { KILL; MAY_FAIL(where); cand[s] = GONE }

/* drain_resume() */
#define RESUME(where) \
	atomic { \
		KILL; \
		if \
		:: j.phase >= DRAIN && WANTS_DRAIN -> REACH; MAY_FAIL(where); drained = false \
		:: else \
		fi \
	}

/* mrc: OK, FAILED, or HOST; `both`: all services are looked at */
#define PASSES(s, i) ((OBSERVES && i == 0) || (looks(s) && healthy(s) && \
    (!OBSERVES || img[s] == i)))
inline VERIFY_ALL(i0, i1, both)
{
	if
	:: PASSES(0, i0) && (PASSES(1, i1) || !(both)) -> mrc = OK
	:: !(PASSES(0, i0) && (PASSES(1, i1) || !(both))) -> mrc = FAILED
	:: faults > 0 && OBSERVES -> faults--; mrc = HOST
	fi
}

/* ---- a request ---- */

proctype Client(byte me)
{
	Journal j;
	byte verb, rc, mrc, out, n;
	bool recovering, resumed, applied, cut, unjudged, evidence, lies;
	bool old_d, new_d, old_r, new_r, replaced, unanswered;

end_idle:
	do
	:: atomic {
		calm == 0 && requests > 0 && verb == 0 ->
		requests--;
		if
		:: verb = MAIN
		:: verb = V_RECOVER
		:: IS_START -> verb = V_START
		fi
	   };
	   goto begin
	:: atomic {
		me == 1 && requests == 0 && calm < 2 && lock == 0 && verb == 0 ->
		kills = 0; faults = 0; events = 0; boot = false; hung = false;
		calm++;
		verb = (calm == 1 -> V_RECOVER : V_DEPLOY)
	   };
	   goto begin
	od;

begin:
	atomic {
		KILL;
#ifndef BUG_NO_LOCK
		if
		:: lock == 0 -> lock = me
		:: lock != 0 -> REACH; rc = BUSY; goto out_of_it
		fi;
#endif
		refused = false;
#ifdef BUG_OPEN
		MAY_FAIL(host)
#else
		MAY_FAIL(no_engine)
#endif
	};

/* recover: */
	atomic {
		KILL;
#ifdef BUG_START
		if
		:: disk.phase == NONE -> goto request
		:: else
		fi;
#endif
		REAP();
		COPY(j, disk);
		if
		:: mrc == HOST && disk.phase == NONE -> goto host
		:: mrc == HOST && disk.phase != NONE -> REACH; goto left
		:: mrc == OK && disk.phase == NONE -> goto request
		:: else
		fi;
		recovering = true;
		if
#ifdef BUG_CLEARED
		:: hist -> rc = OK; goto clear
#else
		:: hist -> REACH; rc = h_code; goto clear
#endif
		:: else
		fi
	};

/* predeploy_recover(): waits, but not for ever, and ends it */
	atomic {
		KILL;
		if
#ifndef BUG_JOB_BESIDE
		:: j.phase == PRE_DEPLOY -> REACH; MAY_FAIL(left); job = NONE
#endif
		:: else
		fi;
#ifdef BUG_JOB_TWICE
		if
		:: j.phase == PRE_DEPLOY -> goto predeploy
		:: else
		fi;
#endif
#ifdef BUG_JOB_FORWARD
		if
		:: j.phase == PRE_DEPLOY -> goto drain
		:: else
		fi;
#endif
#ifdef BUG_CANDIDATE_FORWARD
		if
		:: j.phase == CANDIDATE -> cand[0] = GONE; cand[1] = GONE; goto drain
		:: else
		fi;
#endif
	};

/* candidate_recover() */
#ifndef BUG_CANDIDATE_LEFT
	if
	:: j.phase == CANDIDATE ->
		REMOVE_CANDIDATE(0, left);
		REMOVE_CANDIDATE(1, left)
	:: else
	fi;
#endif

/* decide: */
	atomic {
		KILL;
		MAY_FAIL(left);
#ifndef BUG_NO_REAP
		assert(cmd == 0);
#endif
		assert(NO_CANDIDATES);	/* nothing is decided beside one */
		old_d = env == j.oval; new_d = env == j.ntag;
#define HAD(s) (j.oimg[s] != 0)
#define OLD_RUNS(s) (HAD(s) -> looks(s) && rec[s] : st[s] == GONE)
#ifdef BUG_SAME
#define NEW_RUNS(s) (looks(s) && j.nimg[s] != 0 && img[s] == j.nimg[s] && \
    (!rec[s] || j.oimg[s] == j.nimg[s]))
#else
#define NEW_RUNS(s) (looks(s) && j.nimg[s] != 0 && img[s] == j.nimg[s] && \
    tag[s] == j.ntag && (!rec[s] || j.oimg[s] == j.nimg[s]))
#endif
#ifdef BUG_NEWBORN
#define FETCHED(s) false
#else
/* it runs what prepare fetched, and nothing ran before */
#define FETCHED(s) (!HAD(s) && tag[s] == j.ntag && img[s] != j.prev[s])
#endif
#define REPLACED(s) (st[s] != GONE && ((HAD(s) && !rec[s]) || FETCHED(s)))
		old_r = OLD_RUNS(0) && OLD_RUNS(1);
#ifdef BUG_ONE_SERVICE
		new_r = NEW_RUNS(0);
#else
		new_r = NEW_RUNS(0) && NEW_RUNS(1);
#endif
		replaced = REPLACED(0) || REPLACED(1);
		if
#ifndef BUG_NO_ABANDON
		:: (!old_d && !new_d) || (BEFORE_APPLY && !old_d) ->
			REACH; goto abandon
#endif
		:: else
		fi;
		if
		:: !OBSERVES && j.phase == VERIFY && new_d -> REACH; goto verify
		:: !OBSERVES && BEFORE_APPLY -> REACH; unjudged = true; goto undo_prepare
		:: !OBSERVES && !BEFORE_APPLY && !(j.phase == VERIFY && new_d) ->
			REACH; goto turn_back
		:: else
		fi;
		if
		:: BEFORE_APPLY && replaced -> REACH; goto turn_back
		:: BEFORE_APPLY && !replaced ->
			REACH; unjudged = true; goto undo_prepare
#ifdef BUG_CUT
		/* what still looks as before may have been told to stop */
		:: !BEFORE_APPLY && old_d && old_r ->
			unjudged = true; goto undo_prepare
#endif
		:: else
		fi;
		if
#ifndef BUG_FORWARD_AFTER_REVERT
		:: j.phase == REVERT -> REACH; goto turn_back
#endif
		:: else
		fi;
		if
		:: j.verb == V_ROLLBACK -> REACH; resumed = true; goto apply
		:: j.verb != V_ROLLBACK && new_d && new_r -> REACH; goto complete
		:: else -> REACH; goto turn_back
		fi
	};

turn_back:
	atomic {
		assert(old_d || new_d);	/* what a person decided is left alone */
		resumed = true;
#ifndef BUG_JUDGED
		unjudged = true;
#endif
		goto undo_revert
	};

complete:
	/* a revert that is not on disk may have moved a reference back */
#ifndef BUG_NAME_LEFT
	SET_TAG(0, j.ntag, j.nimg[0], left);
	SET_TAG(1, j.ntag, j.nimg[1], left);
#endif
	goto verify;

abandon:
	RESUME(not_resumed);
	goto resumed_it;
not_resumed:
	atomic { unjudged = true; out = O_ABANDONED; rc = UNVERIFIED; goto close };
resumed_it:
#define CHOSEN(s) (looks(s) && tag[s] == env && img[s] == REF(s, env) && healthy(s) && \
    (BEFORE_APPLY || !(HAD(s) && rec[s])))
	atomic {
		KILL;
		assert(person);
		unjudged = true; out = O_ABANDONED;
#ifdef BUG_ABANDON
		rc = OK;
#else
		if
		:: OBSERVES && CHOSEN(0) && CHOSEN(1) -> REACH; rc = OK
		:: !(OBSERVES && CHOSEN(0) && CHOSEN(1)) -> REACH; rc = UNVERIFIED
		:: faults > 0 -> faults--; rc = UNVERIFIED
		fi;
#endif
		assert(rc != OK || (st[0] == RUNNING && st[1] == RUNNING && healthy(0) &&
		    healthy(1) && agrees(0) && agrees(1)));
		goto close
	};

request:
	atomic {
		KILL;
		assert(disk.phase == NONE);
		if
		:: verb == V_RECOVER -> rc = OK; goto over
		:: else
		fi;
		MAY_FAIL(host);		/* check */
		assert(cmd == 0);	/* no run goes on beside a detached command */
		if
		:: verb == V_START && REF(0, env) != 0 && REF(1, env) != 0 -> REACH; goto start
		:: verb == V_START && (REF(0, env) == 0 || REF(1, env) == 0) -> goto host
		:: else
		fi;
		/* observe, choose; what was told to stop has ended */
		st[0] != STOPPING && st[1] != STOPPING;
		j.verb = verb; j.oval = env;
		j.oimg[0] = (OBSERVES && st[0] > CREATED -> img[0] : 0);
		j.oimg[1] = (OBSERVES && st[1] > CREATED -> img[1] : 0);
		j.osrv[0] = !OBSERVES || looks(0); j.osrv[1] = !OBSERVES || looks(1);
		rec[0] = j.oimg[0] != 0; rec[1] = j.oimg[1] != 0;
		cut = st[0] == CREATED || st[1] == CREATED;
		j.otag = (j.oimg[0] != 0 -> tag[0] : (j.oimg[1] != 0 -> tag[1] : env));
		j.ntag = (verb == V_ROLLBACK -> T_TO : T_NEW);
		if
		:: verb == V_ROLLBACK && !known[j.ntag] -> rc = REFUSED; goto over
		:: else
		fi;
		j.prev[0] = REF(0, j.ntag); j.prev[1] = REF(1, j.ntag);
		if
		:: verb == V_ROLLBACK -> j.nimg[0] = 1; j.nimg[1] = 1
		:: else
		fi;
		MAY_FAIL(host);
		/* from here on the checks speak of this deploy */
		assert(job != RUNS && NO_CANDIDATES);
		job = NONE; jobs = 0; job_ok = false; job_seen = false; drained = false;
		begun = false; back = false; person = false; crashed = false; outage = false;
		b_ref[0] = REF(0, env); b_ref[1] = REF(1, env);
		b_env = env; b_img[0] = (st[0] > CREATED -> img[0] : 0);
		b_img[1] = (st[1] > CREATED -> img[1] : 0);
		b_srv[0] = st[0] == RUNNING; b_srv[1] = st[1] == RUNNING;
		b_agree = agrees(0) && agrees(1);
		if
		:: verb == V_ROLLBACK -> REACH; goto drain
		:: else
		fi
	};

/* prepare: */
	atomic { KILL; j.phase = PREPARE; WRITE(begin_failed) };
	COMMAND(PULL, j.ntag, false, true, true);
	atomic {
		KILL;
		unjudged = true;
		if
		:: mrc != OK -> REACH; goto undo_prepare
		:: else
		fi;
		MAY_FAIL(undo_prepare);
		j.nimg[0] = REF(0, j.ntag); j.nimg[1] = REF(1, j.ntag);
		unjudged = false
	};

predeploy:
	atomic {
		KILL;
		if
		:: !IS_JOB -> goto candidate
		:: else
		fi;
		j.phase = PRE_DEPLOY; WRITE(phase_failed)
	};
	COMMAND(DO_RUN, j.ntag, false, false, false);
	atomic {
		KILL;
		unjudged = true;
		if
		:: mrc == OK && job == ENDED && job_ok -> REACH
		/* it failed, or its limit has passed */
		:: else -> REACH; goto undo_oneoffs
		fi;
		MAY_FAIL(undo_oneoffs);
		job = NONE; job_seen = true; unjudged = false;
		if
		:: faults > 0 -> faults--; unjudged = true; goto undo_oneoffs	/* TERM */
		:: true
		fi
	};

candidate:
	atomic {
		KILL;
		if
		:: !REHEARSED(0) && !REHEARSED(1) -> goto drain
		:: else
		fi;
		j.phase = CANDIDATE; WRITE(phase_failed);
		unjudged = true; mrc = OK
	};
	if
	:: REHEARSED(0) -> COMMAND(DO_TRY, j.ntag, false, true, false)
	:: !REHEARSED(0)
	fi;
	if
	:: mrc == OK && REHEARSED(1) -> COMMAND(DO_TRY, j.ntag, false, false, true)
	:: mrc != OK || !REHEARSED(1)
	fi;
#define CANDIDATE_PASSES(s) (!REHEARSED(s) || (cand[s] == RUNS && sound(s, j.nimg[s])))
	atomic {
		KILL;
		if
		:: mrc != OK -> REACH; goto undo_oneoffs
		:: else
		fi;
		MAY_FAIL(undo_oneoffs);		/* no answer, TERM */
		if
		:: CANDIDATE_PASSES(0) && CANDIDATE_PASSES(1) -> REACH
#ifndef BUG_CANDIDATE_APPLIED
		:: else -> REACH; evidence = true; unjudged = false; goto undo_oneoffs
#else
		:: else
#endif
		fi
	};
	REMOVE_CANDIDATE(0, undo_oneoffs);
#ifndef BUG_CANDIDATE_BESIDE
	REMOVE_CANDIDATE(1, undo_oneoffs);
#endif
	atomic {
		KILL;
		MAY_FAIL(undo_oneoffs);		/* TERM */
		unjudged = false
	};

drain:
	atomic {
		KILL;
		if
		:: !WANTS_DRAIN -> goto apply
		:: else
		fi;
		j.phase = DRAIN; WRITE(phase_failed)
	};
	atomic {
		KILL;
		/* by a request that may not be answered */
		drained = drained || st[0] == RUNNING;
		if
		:: faults > 0 -> faults--; unjudged = true; goto undo_prepare	/* TERM */
		:: true
		fi
	};

apply:
	atomic {
		KILL;
		assert(!back);
		/* nobody goes on past a job whose end was not seen */
		assert(!IS_JOB || j.verb != V_DEPLOY || job_seen);
		/* nothing is applied beside a candidate, or after one that failed */
		assert(NO_CANDIDATES);
		assert(j.verb != V_DEPLOY || ((!REHEARSED(0) || sound(0, j.nimg[0])) &&
		    (!REHEARSED(1) || sound(1, j.nimg[1]))));
		j.phase = APPLY;
#ifndef BUG_NO_JOURNAL
		WRITE(apply_failed)
#endif
	};
	atomic {
		KILL;
		applied = true; unjudged = true;
		if
		:: env != j.ntag && env != j.oval -> REACH; goto undo_unapplied
		:: else
		fi;
		MAY_FAIL(undo_unapplied);
		env = j.ntag;
		MAY_FAIL(undo_unapplied)
	};
	SET_TAG(0, j.ntag, j.nimg[0], undo_unapplied);
	SET_TAG(1, j.ntag, j.nimg[1], undo_unapplied);
	COMMAND(DO_UP, j.ntag, (resumed || cut), true, true);
	atomic {
		KILL;
		cut = cut || mrc != OK;
		if
		:: mrc == OK -> unjudged = false;
			/* what was not replaced; a failure is a warning */
			if
			:: drained -> drained = false
			:: drained && faults > 0 -> faults--
			:: !drained
			fi
		:: mrc == FAILED -> REACH; goto undo_revert
		:: mrc == HOST -> REACH; goto undo_unapplied
		fi
	};

verify:
	atomic { KILL; j.phase = VERIFY; WRITE(verify_failed) };
	atomic {
		KILL;
#ifdef BUG_ONE_SERVICE
		VERIFY_ALL(j.nimg[0], j.nimg[1], !recovering);
#else
		VERIFY_ALL(j.nimg[0], j.nimg[1], true);
#endif
		if
		:: mrc == OK -> REACH
		:: mrc == FAILED -> REACH; evidence = !outage;
#ifndef BUG_OUTAGE_JUDGES
			unjudged = unjudged || outage;
#endif
			goto undo_revert
		:: faults > 0 -> faults--; unjudged = true; goto undo_revert	/* TERM */
		:: mrc == HOST -> REACH; rc = UNVERIFIED; goto stays
		fi
	};

/* commit: */
	atomic {
		KILL;
		rc = OK; out = O_GOOD;
		assert(!back);
		goto close
	};

begin_failed:
	/* undo_nothing() */
	atomic { goto host };
phase_failed:
	/* the undo of the row before */
	atomic {
		if
		:: j.verb == V_ROLLBACK -> REACH; goto begin_failed
		:: j.verb != V_ROLLBACK -> REACH; unjudged = true; goto undo_prepare
		fi
	};
apply_failed:
	atomic {
		if
		:: recovering -> goto left
		:: !recovering && j.verb == V_ROLLBACK && !WANTS_DRAIN -> goto begin_failed
		:: else -> REACH; unjudged = true; goto undo_prepare
		fi
	};
verify_failed:
	atomic {
		if
#ifdef BUG_DISK_JUDGES
		:: applied -> REACH; goto undo_revert
#else
		:: applied -> REACH; unjudged = true; goto undo_revert
#endif
		:: else -> REACH; goto left
		fi
	};

undo_unapplied:
	atomic {
		unanswered = true;
		if
#ifdef BUG_AWAY_REVERTS
		:: resumed -> goto undo_revert
#else
		:: resumed -> REACH; goto left
#endif
		:: else
		fi
	};

	goto undo_prepare;

undo_oneoffs:
	atomic { KILL; MAY_FAIL(not_restored); job = NONE; cand[0] = GONE };
	REMOVE_CANDIDATE(1, not_restored);

undo_prepare:
	atomic {
		KILL;
		REAP();
		assert(mrc == HOST || job != RUNS);	/* nothing is done beside it */
		if
		:: mrc == HOST -> REACH; rc = UNVERIFIED; goto stays
		:: else
		fi
	};
#ifndef BUG_DRAINED
	RESUME(not_restored);
#endif
	UNDESIRE(not_restored);
	DISCARD(not_restored);
	atomic {
		KILL;
		MAY_FAIL(not_restored);
		if
		:: OBSERVES && ((j.osrv[0] && !(looks(0) && rec[0])) ||
		    (j.osrv[1] && !(looks(1) && rec[1]))) -> REACH; goto undo_revert
		:: else -> REACH
		fi;
		rc = FAILED;
		out = (j.phase == CANDIDATE && !unjudged -> O_REJECTED : O_DISCARDED);
		goto close
	};

undo_revert:
	atomic {
		KILL;
		/* an engine that does not answer turns no rollback back */
		assert(!(resumed && unanswered));
		j.phase = REVERT; lies = false; n = 0;
		WRITE(reap)
	};
reap:
	atomic {
		KILL;
		REAP();
		if
		:: mrc == HOST -> REACH; rc = UNVERIFIED; goto stays
		:: else
		fi
	};
	DISCARD(not_restored);
	UNDESIRE(not_desired);
	goto desired;
not_desired:
	atomic {
		if
		:: OBSERVES -> REACH
		:: !OBSERVES -> REACH; goto not_restored
		fi
	};
desired:
	SET_TAG(0, j.otag, j.oimg[0], not_restored);
	SET_TAG(1, j.otag, j.oimg[1], not_restored);
	atomic {
		KILL;
		/* what did not run before is removed */
		if
		:: OBSERVES && j.oimg[0] == 0 && st[0] != GONE -> st[0] = GONE; img[0] = 0; tag[0] = 0
		:: else
		fi;
		if
		:: OBSERVES && j.oimg[1] == 0 && st[1] != GONE -> st[1] = GONE; img[1] = 0; tag[1] = 0
		:: else
		fi
	};
	do
	:: OBSERVES && j.oimg[0] == 0 && j.oimg[1] == 0 -> break
	:: else ->
		COMMAND(DO_UP, j.otag, (resumed || cut), !OBSERVES || j.oimg[0] != 0,
		    !OBSERVES || j.oimg[1] != 0);
		atomic {
			KILL;
			cut = cut || mrc != OK;
			if
			:: mrc == HOST -> REACH; goto not_restored
			:: mrc == OK && (!OBSERVES || ((!j.osrv[0] || looks(0)) &&
			    (!j.osrv[1] || looks(1)))) -> break
			:: else -> n++; cut = true;
				if
				:: n == 2 -> break
				:: else
				fi
			fi
		}
	od;
	atomic {
		KILL;
		if
		:: WANTS_DRAIN && mrc == OK -> MAY_FAIL(not_restored); drained = false
		:: else
		fi;
		n = (mrc == FAILED -> 2 : 0);
		REAP();
		if
		:: mrc == HOST -> REACH; goto not_restored
		:: else
		fi;
#ifndef BUG_SECOND_UP
		/* what it told to stop may still run: nothing is verified */
		lies = n == 2;
#endif
		mrc = OK;
		if
#ifdef BUG_NO_VERIFY
		:: true
#else
		:: lies -> REACH
#ifdef BUG_ALL_MUST_RUN
		:: !lies -> VERIFY_ALL(j.oimg[0], j.oimg[1], true)
#else
		:: !lies -> VERIFY_ALL(j.osrv[0] * j.oimg[0], j.osrv[1] * j.oimg[1], true)
#endif
#endif
		fi;
		if
		:: mrc == HOST -> REACH; goto not_restored
#ifdef BUG_ENV_LIES
		:: mrc == FAILED -> goto look_now
#endif
		:: else -> lies = lies || mrc == FAILED
		fi
	};
	/* what a reboot would start has to be right, whatever runs */
	UNDESIRE(not_restored);
	atomic {
		if
		:: !lies -> REACH; rc = FAILED; out = O_ROLLED_BACK; goto close
		:: lies -> REACH
		fi
	};
look_now:
	atomic {
		/* undisturbed, a revert is verified where what served before serves */
		assert(!IS_DOWN || crashed || kills < KILLS || faults < FAULTS);
		rc = UNVERIFIED; out = O_UNVERIFIED
	};

close:
	atomic {
		KILL;
		n = 0;
		/* 0, 1: what the record says is so */
		assert(out != O_GOOD || (to_runs(0) && to_runs(1) && (env == j.ntag || person)));
		assert(rc != FAILED || (from_runs(0) && from_runs(1)));
		assert(out != O_ROLLED_BACK || crashed || ((!b_srv[0] || healthy(0)) &&
		    (!b_srv[1] || healthy(1))));
		assert(rc != FAILED || person || crashed || !b_agree || (agrees(0) && agrees(1)));
		assert(rc == OK || env == b_env || person);
		assert(!person || p_env != 3 || env == 3 || j.oval == 3);
		assert(rc == UNVERIFIED || cmd == 0);
		assert(job != RUNS);
		assert(NO_CANDIDATES);
		/* nothing was touched */
		assert(out != O_REJECTED || (!back && (!b_srv[0] || rec[0]) &&
		    (!b_srv[1] || rec[1])));
		assert(rc == UNVERIFIED || !drained || st[0] != RUNNING ||
		    (out == O_GOOD && faults < FAULTS));
#ifdef BUG_HISTORY_AFTER_CLEAR
		FORGET(disk)
	};
	atomic {
		KILL;
		RECORD(out);
		goto closed
#else
		if
		:: RECORD(out)
		:: faults > 0 -> faults--; refused = true; goto closed
		:: faults > 0 -> faults--; refused = true; RECORD(out); goto closed
		fi
#endif
	};
clear:
	atomic {
		KILL;
		if
		:: FORGET(disk)
		:: faults > 0 -> faults--; refused = true
		fi
	};
closed:
	atomic {
		KILL;
		if
		:: recovering && disk.phase != NONE -> goto left
		:: recovering && disk.phase == NONE && verb != V_RECOVER -> REACH
		:: else -> goto over
		fi;
		/* it is over, whatever came of it: the request goes on */
		recovering = false; resumed = false; applied = false; cut = false;
		unjudged = false; evidence = false; unanswered = false; rc = 0; out = 0;
		FORGET(j);
		goto request
	};

start:
	COMMAND(DO_UP, env, false, true, true);
	atomic {
		KILL;
		/* it did not start: nothing is known to serve */
		if
		:: mrc == HOST -> rc = HOST
#ifdef BUG_START_CODE
		:: mrc == FAILED -> rc = FAILED
#else
		:: mrc == FAILED -> REACH; rc = UNVERIFIED
#endif
		:: mrc == OK -> REACH; rc = OK
		fi;
		assert(rc != FAILED);
		goto over
	};

no_engine:
	atomic { COPY(j, disk); recovering = j.phase != NONE };
	atomic {
		if
		:: recovering -> REACH; goto left
		:: else
		fi
	};
host:
	atomic { rc = HOST; goto over };
not_restored:
	atomic { rc = UNVERIFIED; goto stays };
left:
	atomic { recovering = true; goto stays };
stays:
	atomic {
		rc = (recovering && j.phase == PREPARE -> HOST : UNVERIFIED);
		goto over
	};

over:
	atomic {
		/* the journal is gone after 0 and 1, but for a disk that refuses */
		assert((rc != OK && rc != FAILED) || disk.phase == NONE || refused);
		assert(rc != HOST || disk.phase <= PREPARE || refused);
		assert(rc != OK || !recovering || disk.phase != NONE || person || crashed ||
		    (agrees(0) && agrees(1)));
		/* at the end nothing fails: it has one record, and what is asked for comes */
		assert(calm == 0 || disk.phase == NONE);
		assert(calm == 0 || !begun || hist);
		assert(calm != 2 || rc == OK || (IS_JOB && !job_seen) || rotten || !good[0] || !good[1] ||
		    (env != 1 && env != 2));
		lock = 0
	};
	goto out_of_it;
killed:
	atomic {
		if
		:: lock == me -> lock = 0
		:: else
		fi;
		if
		:: owner == me -> owner = 0
		:: else
		fi
	};
out_of_it:
	atomic {
		FORGET(j);
		verb = 0; rc = 0; mrc = 0; out = 0; n = 0;
		recovering = false; resumed = false; applied = false; cut = false;
		unjudged = false; evidence = false; lies = false;
		old_d = false; new_d = false; old_r = false; new_r = false; replaced = false;
		unanswered = false;
		goto end_idle
	}
}

/* ---- the detached command ---- */

inline END(r)
{
	res = (owner != 0 -> r : 0);
	owner = 0; cmd = 0; at = 0; hung = false;
	c_tag = 0; c_force = false; c_srv[0] = false; c_srv[1] = false
}

#define MATCHES (img[at] == REF(at, c_tag) && tag[at] == c_tag && !c_force)

active proctype Docker()
{
end_idle:
	do
	:: atomic {
		cmd == PULL && at < 2 ->
		REF(at, c_tag) = (at == 0 -> NEW_0 : NEW_1);
		at++
	   }
	:: atomic {
		cmd == DO_RUN && at < 2 ->
		jobs++; assert(jobs == 1);
		job = RUNS; at = 2;
		if
		:: job_ok = true
		:: job_ok = false
		fi
	   }
	:: atomic {
		cmd == DO_TRY && at < 2 ->
		at = (c_srv[0] -> 0 : 1);
		assert(cand[at] == GONE);
		cand[at] = RUNS; at = 2
	   }
	/* it runs, and the command says that it failed */
	:: atomic { cmd >= DO_RUN && at == 2 && faults > 0 -> faults--; END(FAILED) }
	:: atomic {
		cmd == DO_UP && at < 2 ->
		if
		:: !c_srv[at] -> at++
		:: c_srv[at] && REF(at, c_tag) == 0 -> END(FAILED)
		:: c_srv[at] && REF(at, c_tag) != 0 && looks(at) && MATCHES -> at++
		:: c_srv[at] && REF(at, c_tag) != 0 && st[at] == EXITED && MATCHES ->
			st[at] = RUNNING; drained = drained && at != 0; at++
		:: c_srv[at] && REF(at, c_tag) != 0 && st[at] == CREATED ->
			img[at] = REF(at, c_tag); tag[at] = c_tag; st[at] = RUNNING; at++
		:: c_srv[at] && REF(at, c_tag) != 0 && st[at] == RUNNING && !MATCHES ->
			st[at] = STOPPING
		:: c_srv[at] && REF(at, c_tag) != 0 && st[at] == STOPPING && !MATCHES ->
			st[at] = EXITED
		:: c_srv[at] && REF(at, c_tag) != 0 &&
		    (st[at] == GONE || (st[at] == EXITED && !MATCHES)) ->
			st[at] = CREATED; rec[at] = false; img[at] = 0; tag[at] = 0;
			drained = drained && at != 0
		fi
	   }
	:: atomic { cmd != 0 && at == 2 -> END(OK) }
	/* docker says no, a limit is reached, it is killed */
	:: atomic {
		cmd != 0 && at < 2 && faults > 0 -> faults--;
#ifdef BLIND	/* cannot know, and takes docker at its word */
		st[at] = (st[at] == STOPPING -> EXITED : st[at]);
#endif
		END(FAILED)
	   }
	od
}

/* ---- the world ---- */

inline UP_NOW(s)
{
	if
	:: REF(s, env) == 0
	:: REF(s, env) != 0 && tag[s] == env && img[s] == REF(s, env) && st[s] > CREATED ->
		drained = drained && (s != 0 || st[s] == RUNNING); st[s] = RUNNING
	:: else ->
		drained = drained && s != 0; st[s] = RUNNING; tag[s] = env; img[s] = REF(s, env); rec[s] = false
	fi
}

active proctype World()
{
end_idle:
	do
	:: atomic { job == RUNS -> job = ENDED }
	:: atomic { IS_CRASH && events > 0 && cand[0] == RUNS -> events--; cand[0] = ENDED }
	:: atomic { cmd == 0 && st[0] == STOPPING -> st[0] = EXITED }
	:: atomic { cmd == 0 && st[1] == STOPPING -> st[1] = EXITED }
	:: atomic { IS_HUNG && faults > 0 && cmd != 0 && !hung -> faults--; hung = true }
	:: atomic { IS_CRASH && events > 0 && st[0] == RUNNING && lock != 0 ->
		events--; crashed = true; st[0] = EXITED }
	:: atomic { IS_CRASH && events > 0 && st[1] == RUNNING && lock != 0 ->
		events--; crashed = true; st[1] = EXITED }
	:: atomic { IS_OUTAGE && events > 0 && lock != 0 && disk.phase == VERIFY ->
		events--; outage = true; crashed = true;
		st[0] = (looks(0) -> EXITED : st[0]); st[1] = (looks(1) -> EXITED : st[1]) }
	:: atomic { IS_DOWN && cmd == 0 && st[1] == RUNNING && img[1] == 1 ->
		st[1] = EXITED; crashed = crashed || b_srv[1] }
	:: atomic { IS_ROT && events > 0 && lock == 0 -> events--; rotten = true }
	:: atomic {
		IS_PERSON && events > 0 && calm == 0 -> events--; person = true;
		if
		:: env = 1
		:: env = 2
		:: env = 3
		fi;
		p_env = env
	   }
	:: atomic { IS_PERSON && events > 0 && lock == 0 && cmd == 0 ->
		events--; person = true; p_env = env; UP_NOW(0); UP_NOW(1) }
	:: atomic { boot && lock == 0 -> boot = false; crashed = false; UP_NOW(0); UP_NOW(1) }
	od
}

init {
	atomic {
		env = T_FROM;
		REF(0, 1) = 1; REF(1, 1) = 1;
		st[0] = RUNNING; st[1] = RUNNING;
		tag[0] = T_FROM; tag[1] = T_FROM;
		img[0] = 1; img[1] = 1;
		known[1] = true;
#ifdef ROLLBACK
		known[T_NEW] = true;
		REF(0, T_NEW) = 2; REF(1, T_NEW) = 2;
		img[0] = 2; img[1] = 2;
		good[0] = true;
#else
		if
		:: good[0] = true
		:: true
		fi;
#endif
		if
		:: good[1] = true
		:: true
		fi;
#ifdef FIRST		/* one service runs, the other never did */
		st[1] = GONE; img[1] = 0; tag[1] = 0;
#endif
#ifdef DOWN
		st[1] = EXITED;
#endif
#ifdef NOTHING
		st[0] = GONE; img[0] = 0; tag[0] = 0; st[1] = GONE; img[1] = 0; tag[1] = 0;
#endif
		run Client(1);
#ifdef SECOND
		run Client(2)
#else
		skip
#endif
	}
}
