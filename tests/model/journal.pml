/*
 * journal.pml: the journal, its recovery and what can happen around them, as a
 * model that spin searches whole.  `tests/model/run.sh` runs it.
 *
 * What is in it
 *
 *   two clients		a request each at a time: deploy, rollback, recover; a
 *			held lock makes the second one busy (session.c, lock.c)
 *   two movers		children that outlive a killed deployer (run.c, mover.c);
 *			the second exists so that it can be seen if it ever works
 *			beside the first
 *   the world		SIGKILL between any two steps of whoever holds the lock;
 *			a container that ends by itself; a person who edits .env
 *			or says `up` between requests; somebody's prune; the
 *			registry's tag moving
 *   faults		a docker that does not answer, a disk that is full, TERM:
 *			one of FAULTS at each place where the code looks for one
 *   a finale		the world stands still, docker works: `recover`, then a
 *			deploy; both must end, the first without a journal left,
 *			the second with 0
 *
 * Which step is which function
 *
 *   lock_take		session_open(), lock_take()
 *   recover, mend	recover_run(), mend(), look(), undo_boot()
 *   abandon		abandon()
 *   complete		complete()
 *   resume_rollback	complete_rollback(), rollback_name()
 *   deploy, snapshot	deploy_steps(): deploy_read(), deploy_snapshot(), adopt()
 *   rollback		rollback_steps(), choose_proven()
 *   WRITE_JOURNAL	journal_write()
 *   pull, identify	pull(), deploy_resolve()
 *   forward, swap	deploy_forward(), swap()
 *   DO_UP, UP_AGAIN	deploy_up() with deploy_sweep(), up_again()
 *   GATE		deploy_gate(), gate_pass()
 *   commit		deploy_commit()
 *   put_back		restore_names_only()
 *   roll_back		restore_all(), bring_back(), bring_old_value()
 *   RESTORE_VALUE	restore_value()
 *   RESTORE_NAMES	restore_names(), deploy_name_again()
 *   close		close_journal()
 *   stays		recover.c: conclude(); the journal is left as it is
 *   SETTLE, MOVE	mover_settle(), mover_run(), uplock_take()
 *   Mover		child(), and what docker does for it
 *
 * What is left out
 *
 *   - Each durable write (journal, history, .env) is one step: that they are
 *     whole is file.c's, envswap.c's and history.c's own matter.  Limits and
 *     waiting have no length: a limit that is reached is a mover that fails.
 *   - An image is a number: 1 ran at the start, 2 and 3 are newer.  A tag is a
 *     number too, 1 to 3; what a tag names is name[].  Of containers there is
 *     one and perhaps a half-made one beside it; ct_rec says that it is the one
 *     the journal recorded (its id, that is).
 *   - Health has no cause: whatever runs passes the gate or does not.
 *   - Second names, pruning, the order of the ledger: a rollback takes any
 *     proven image, not just the newest.
 *   - A mover's end and the freeing of up.lock are one step, and the docker
 *     daemon does nothing for a client that is dead.
 *
 * Checked
 *
 *   assertions		never two movers; one record for each deploy, no more; from
 *			ROLLBACK nothing goes forward; 0 only with the image that
 *			was asked for, running, past the gate; 1 only with what ran
 *			before; 5 never before the old version was tried; a
 *			rollback goes to what was healthy once; the finale
 *   no deadlock	(invalid end states)
 *   ltl agree		nobody holds a lock and no journal is there: .env, the
 *			container and the names are what the last record says, and
 *			it has one
 *   ltl ends		every request ends, and the finale is reached
 *
 * Configurations and variants (-D), see run.sh.  BUG_x is a fault put in on
 * purpose; FOUND_x is the code as it was when this model was made, with a fault
 * that it found.  Spin must find an error in each of them.
 */

/* ---- the configuration ---- */

#ifndef KILLS
#define KILLS 2
#endif
#ifndef FAULTS
#define FAULTS 1
#endif
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef EVENTS
#define EVENTS 0	/* of the world: crash, person, prune */
#endif
#ifndef START_ENV
#define START_ENV 1
#endif

#ifdef MUTABLE
#define NEW_TAG 1
#define NEW_IMAGE 2
#else
#ifdef DRIFT
#define NEW_TAG 3
#define NEW_IMAGE 3
#else
#define NEW_TAG 2
#define NEW_IMAGE 2
#endif
#endif

/* constants, not #ifdef, so that what is not reached can be seen */
#ifdef SILENT
#define IS_SILENT true
#else
#define IS_SILENT false
#endif
#ifdef STUCK
#define IS_STUCK true
#else
#define IS_STUCK false
#endif
#ifdef CRASH
#define IS_CRASH true
#else
#define IS_CRASH false
#endif
#ifdef BOOT
#define IS_BOOT true
#else
#define IS_BOOT false
#endif
#ifdef PERSON
#define IS_PERSON true
#else
#define IS_PERSON false
#endif
#ifdef PRUNED
#define IS_PRUNED true
#else
#define IS_PRUNED false
#endif
#ifdef FORCED
#define IS_FORCED true
#else
#define IS_FORCED false
#endif

#ifdef MOVES
#define TAG_MOVES true
#else
#define TAG_MOVES false
#endif

/* ---- words ---- */

#define NONE 0

/* journal steps */
#define PULL 1
#define SWAP 2
#define ROLLBACK 3

/* verbs */
#define V_DEPLOY 1
#define V_ROLLBACK 2
#define V_RECOVER 3

/* exit codes */
#define OK 0
#define FAILED 1
#define REFUSED 2
#define BUSY 3
#define HOST 4
#define UNVERIFIED 5

/* outcomes, as recorded */
#define O_DEPLOYED 1
#define O_RECOVERED 2
#define O_PUT_BACK 3
#define O_ROLLED_BACK 4
#define O_UNVERIFIED 5
#define O_ABANDONED 6

/* the container */
#define GONE 0
#define CREATED 1
#define EXITED 2
#define RUNNING 3

/* what a mover does */
#define M_PULL 1
#define M_TAG 2
#define M_UP 3
#define M_RM 4		/* img 0: the half-made one, 1: all */
#define M_KEEP 5	/* a second name: moves nothing that counts */

/* of the ledger */
#define PROVEN 1
#define CONDEMNED 2

/* ---- what is there ---- */

typedef Journal {
	byte step;
	byte verb;
	byte otag;	/* from.tag, from.ref */
	byte oimg;	/* from.image */
	byte ntag;	/* to.tag, to.ref */
	byte nimg;	/* to.image */
	byte disp;	/* displaced: what to.ref named before */
	byte oldv;	/* old_value */
	bool cont	/* there was a container */
};

typedef Work {
	byte kind;
	byte tag;
	byte img;
	byte parent	/* the client that waits for it; 0: it was killed */
};

Journal disk;
byte env = START_ENV;
byte name[4];		/* tag -> image */
byte registry[4];
bool gone[4];		/* the image is no longer on this host */
bool kept[4];		/* it has a second name */

byte ct_state, ct_img, ct_tag;
bool ct_half, ct_rec;

byte lock;		/* 0, or a client */
byte uplock;		/* 0, a client, or 3 + a mover */
Work mv[2];
byte m_rc[3];		/* for the client: 0 nothing yet, else 1 + code */
byte working;		/* movers at work */
bool hung;		/* the one at work cannot be ended */

byte proven[4];		/* image (silent: tag) -> word of the ledger */
byte ptag[4];		/* the tag that it was proven with */

/* ---- budgets ---- */

byte kills = KILLS, faults = FAULTS, requests = REQUESTS, events = EVENTS;
byte calm;		/* 0; the finale: 1 recovers, 2 deploys, 3 is over */
bool killed;		/* the lock's holder, about to be gone */
bool idle2 = true;	/* the second client has no request */

/* ---- ghosts: what the checks need to know ---- */

bool seen;		/* always 0; see REACH */
bool begun;		/* a deploy wrote its journal */
byte records;		/* of that deploy */
byte last;		/* its outcome */
byte want_tag, want_img;
byte b_env, b_state, b_img, b_tag;	/* as it was before it */
bool b_ran;		/* there was a container that counts */
byte b_ntag, b_disp;
bool back;		/* ROLLBACK was on disk for it */
bool person, crashed, booted;	/* what the world did since */
byte p_env;		/* what the person wrote */
bool healthy[4];	/* image (silent: tag) that passed a gate or probe */

#ifdef SILENT
#define KEY(img, tag) (tag)
#else
#define KEY(img, tag) (img)
#endif

#define at_work (uplock > 2 && !(mv[uplock - 3].kind == M_KEEP))
#define quiet (lock == 0 && !at_work && disk.step == NONE)

/* the recorded container is no longer there, and another one is */
#define replaced (!IS_SILENT && j.cont && !ct_rec && (ct_state != GONE || ct_half))

/* the names that a pull moved are back, as far as they can be */
#define names_back (IS_SILENT || \
    ((!b_ran || name[b_tag] == b_img || gone[b_img]) && \
    (b_ntag == b_tag || b_disp == 0 || name[b_ntag] == b_disp || gone[b_disp])))

#define alive (ct_state == RUNNING || (crashed && ct_state == EXITED))

/* a silent engine does not tell what ran: its rollback is to what .env said */
#define runs_before ((IS_SILENT && alive && ct_tag == env) || \
    (!IS_SILENT && b_ran && alive && ct_img == b_img && ct_tag == b_tag) || \
    (!IS_SILENT && !b_ran && (ct_state == GONE || (alive && ct_tag == env))))

/* one that had ended may have been started again by an `up`; half a one is none */
#define as_before (((ct_state == b_state || (crashed && ct_state == EXITED) || \
    (b_state == EXITED && ct_state == RUNNING)) && ct_img == b_img && ct_tag == b_tag) || \
    (!b_ran && (ct_state == GONE || booted)))

#define agrees (alive && ct_tag == env && (IS_SILENT || ct_img == name[env]))

#define agreed (!begun || (records == 1 && (person || \
    ((last == O_DEPLOYED || last == O_RECOVERED) && env == want_tag && \
	alive && ct_tag == want_tag && (IS_SILENT || \
	(ct_img == want_img && (name[want_tag] == want_img || gone[want_img])))) || \
    (last == O_PUT_BACK && env == b_env && (as_before || agrees) && names_back) || \
    (last == O_ROLLED_BACK && env == b_env && (runs_before || (booted && agrees)) && \
	names_back) || \
    (last == O_UNVERIFIED && env == b_env))))

ltl agree { [] (quiet -> agreed) }
ltl ends { <> (calm == 3) }

/* ---- the disk ---- */

inline WRITE_JOURNAL()
{
	d_step {
		disk.step = j.step; disk.verb = j.verb;
		disk.otag = j.otag; disk.oimg = j.oimg;
		disk.ntag = j.ntag; disk.nimg = j.nimg;
		disk.disp = j.disp; disk.oldv = j.oldv; disk.cont = j.cont;
		back = back || j.step == ROLLBACK;
		want_tag = j.ntag; want_img = j.nimg
	}
}

inline READ_JOURNAL()
{
	d_step {
		j.step = disk.step; j.verb = disk.verb;
		j.otag = disk.otag; j.oimg = disk.oimg;
		j.ntag = disk.ntag; j.nimg = disk.nimg;
		j.disp = disk.disp; j.oldv = disk.oldv; j.cont = disk.cont
	}
}

inline FORGET()
{
	j.step = 0; j.verb = 0; j.otag = 0; j.oimg = 0; j.ntag = 0; j.nimg = 0;
	j.disp = 0; j.oldv = 0; j.cont = false;
	rc = 0; mrc = 0; out = 0; n = 0; n2 = 0;
	recovering = false; leftovers = false; gated = false; tried = false;
	resumed = false; intr = false; lies = false; old_v = false; new_v = false; old_r = false; new_r = false
}

/* From here on the ghosts speak of this deploy. */
inline BEGIN()
{
	d_step {
		begun = true; records = 0; last = 0; back = false;
		person = false; crashed = false; booted = false;
		b_ntag = j.ntag; b_disp = j.disp
	}
}

inline CLEAR_JOURNAL()
{
	d_step {
		disk.step = 0; disk.verb = 0; disk.otag = 0; disk.oimg = 0;
		disk.ntag = 0; disk.nimg = 0; disk.disp = 0; disk.oldv = 0;
		disk.cont = false
	}
}

inline RECORD(o)
{
	d_step {
		records++;
		assert(records == 1);
		last = o;
		if
		:: o == O_DEPLOYED || o == O_RECOVERED ->
			assert(healthy[KEY(ct_img, ct_tag)]);
			proven[KEY(j.nimg, j.ntag)] = PROVEN;
			ptag[KEY(j.nimg, j.ntag)] = j.ntag;
			if
			:: j.verb == V_ROLLBACK && KEY(j.oimg, j.otag) != KEY(j.nimg, j.ntag) ->
				proven[KEY(j.oimg, j.otag)] = CONDEMNED
			:: else
			fi
		:: (o == O_ROLLED_BACK || o == O_UNVERIFIED) && !intr ->
			proven[KEY(j.nimg, j.ntag)] = CONDEMNED
		:: else
		fi;
		proven[0] = 0
	}
}

/* One of the budgeted faults may happen here. */
#define MAY_FAIL(where) \
	if \
	:: true \
	:: faults > 0 -> faults--; goto where \
	fi

/* ---- docker, as the deployer sees it; mrc: OK, FAILED or HOST ---- */

/*
 * A step ends where an atomic ends: only there, and where it waits, can its
 * process be killed and another one go on.  What stands in one atomic differs
 * in nothing that others see.
 */
#define STEP true

/*
 * What no configuration reaches, run.sh takes for a fault of the model.  It
 * writes to something global, for spin forgets to name a `true` in its list
 * of what was not reached.
 */
#define REACH seen = 0

inline SETTLE()
{
	if
	:: uplock == 0 -> mrc = OK
#if defined(BUG_NO_UPLOCK) || defined(BUG_NO_LOCK)
	:: uplock > 2 -> mrc = OK
#endif
	:: hung -> mrc = HOST
	fi
}

inline MOVE(k, t, i)
{
	atomic {
		if
		:: uplock == 0 -> mrc = OK
#ifdef BUG_NO_LOCK
		:: uplock > 2 -> mrc = OK
#endif
		:: hung -> mrc = HOST
		fi;
		if
		:: mrc == OK ->
			/* uplock_take() and fork(): killed between them, it is free */
			if
			:: mv[0].kind == 0 -> n = 0
			:: else -> n = 1
			fi;
			mv[n].tag = t; mv[n].img = i; mv[n].parent = me;
			mv[n].kind = k; uplock = 3 + n; n = 0;
			if
			:: m_rc[me] != 0 -> mrc = m_rc[me] - 1; m_rc[me] = 0
			:: m_rc[me] == 0 && hung -> mv[uplock - 3].parent = 0; mrc = HOST
			fi
		:: faults > 0 -> faults--; mrc = HOST	/* fork() failed */
		:: mrc == HOST
		fi
	}
}

inline DO_UP(t)
{
	atomic {
		mrc = OK;
		if
		:: leftovers && !IS_SILENT ->
			if
			:: ct_half -> MOVE(M_RM, 0, 0)
			:: !ct_half
			:: faults > 0 -> faults--; mrc = HOST
			fi
		:: else
		fi;
		leftovers = leftovers && mrc != OK
	};
	if
	:: mrc == OK -> MOVE(M_UP, t, 0)
	:: mrc != OK
	fi
}

inline UP_AGAIN(t)
{
	do
	:: atomic { n2 < 2 -> n2++; leftovers = true; tried = true };
	   DO_UP(t);
	   atomic {
		if
		:: mrc == OK && (n2 == 2 || IS_SILENT || ct_state == RUNNING) -> break
		:: else
		fi
	   }
	:: n2 == 2 -> break
	od
}

/*
 * In the finale what ran before is well (a deploy's new version is, in its
 * second part), so that nothing but the code can keep it from ending well.
 */
inline GATE(i, sure)
{
	atomic {
		if
		:: ct_state == RUNNING && (IS_SILENT || i == 0 || ct_img == i) &&
		    (IS_SILENT || !ct_half) ->
			if
			:: mrc = OK; healthy[KEY(ct_img, ct_tag)] = true
			:: calm == 0 || !(sure) -> mrc = FAILED
			:: calm == 0 -> mrc = FAILED; ct_state = EXITED
			:: faults > 0 -> faults--; mrc = HOST
			fi
		:: else -> mrc = FAILED
		fi
	}
}

inline NAME_AGAIN(i, t)
{
	atomic {
		mrc = OK;
		if
		:: IS_SILENT || i == 0 || t == 0 || name[t] == i
#ifndef FOUND_NAME_GONE
		/* nothing can be named so any more */
		:: !(IS_SILENT || i == 0 || t == 0 || name[t] == i) && gone[i]
		:: !(IS_SILENT || i == 0 || t == 0 || name[t] == i) && !gone[i] ->
#else
		:: !(IS_SILENT || i == 0 || t == 0 || name[t] == i) ->
#endif
			MOVE(M_TAG, t, i);
#ifndef FOUND_NAME_GONE
			/* docker said no, not because of the image: try again later */
			if
			:: mrc == FAILED -> mrc = HOST
			:: else
			fi
#endif
		:: faults > 0 && !IS_SILENT -> faults--; mrc = HOST
		fi
	}
}

inline RESTORE_NAMES()
{
	NAME_AGAIN(j.oimg, j.otag);
	if
	:: mrc == OK && j.ntag != j.otag -> NAME_AGAIN(j.disp, j.ntag)
	:: else
	fi
}

inline RESTORE_VALUE()
{
	atomic {
		mrc = OK;
		if
		:: faults > 0 -> faults--; mrc = HOST
		:: env == j.ntag && env != j.oldv -> env = j.oldv
		:: faults > 0 && env == j.ntag && env != j.oldv ->
			faults--; env = j.oldv; mrc = HOST
		:: !(env == j.ntag && env != j.oldv)
		fi
	}
}

/* ---- a request ---- */

proctype Client(byte me)
{
	Journal j;
	byte verb, asked;	/* the request */
	byte rc, mrc, out, n, n2;
	bool recovering;	/* in recover_run() */
	bool resumed;		/* a rollback that goes on */
	bool leftovers;
	bool intr;		/* the record will say so: it condemns nothing */
	bool lies;		/* .env could not be written */
	bool gated;		/* ghost: the gate let the new image pass */
	bool tried;		/* ghost: the old one was brought up */
	bool old_v, new_v, old_r, new_r;

end_idle:
	do
	/* the second one comes while the first is at work */
	:: atomic {
		requests > 0 && calm == 0 && (me == 1 || lock == 1) ->
		requests--;
		idle2 = idle2 && me == 1;
		if
		:: verb = V_DEPLOY; j.ntag = NEW_TAG
#ifdef TWO_WAYS
		:: verb = V_DEPLOY; j.ntag = 1
#endif
#ifdef VERB_ROLLBACK
		:: verb = V_ROLLBACK
#endif
		fi;
		goto asks
	   }
	:: atomic {
		me == 1 && calm == 0 && requests == 0 && idle2 ->
		calm = 1; kills = 0; faults = 0; events = 0; hung = false; verb = V_RECOVER;
		goto asks
	   }
	:: atomic { me == 1 && calm == 1 -> calm = 2; verb = V_DEPLOY; j.ntag = NEW_TAG; goto asks }
	:: atomic { me == 1 && calm == 2 -> calm = 3 }; break

	:: false ->
asks:
	{
	/* lock_take, hello */
	atomic {
		if
		:: lock == 0 -> lock = me
		:: lock != 0 -> REACH; rc = BUSY; goto over
		fi;
		MAY_FAIL(host)
	};

/* recover: */
	atomic {
		if
		:: disk.step == NONE -> goto request
		:: else
		fi;
		asked = j.ntag;
		READ_JOURNAL();
		recovering = true;
#ifndef BUG_NO_UPLOCK
		SETTLE();
		if
		:: mrc == HOST -> REACH; goto stays
		:: else
		fi;
#endif
		if
		:: records > 0 -> REACH; goto cleared
		:: else
		fi
	};

/* mend: */
	atomic {
		MAY_FAIL(stays);
		old_v = env == j.oldv;
		new_v = env == j.ntag
	};
	atomic {
		leftovers = true;
		old_r = !IS_SILENT && ((ct_state == RUNNING && ct_rec && j.cont) ||
		    (ct_state == GONE && !ct_half && !j.cont));
		new_r = !IS_SILENT && ct_state == RUNNING && !old_r && j.nimg != 0 &&
		    ct_img == j.nimg;
		if
		:: !old_v && (!new_v || j.step == PULL) ->
			REACH; goto abandon
		:: else
		fi;
		if
#ifndef FOUND_REPLACED
		/* a boot's `up` took what the pull had moved the name to */
		:: j.step == PULL && replaced ->
			REACH; intr = true; j.step = ROLLBACK;
			MAY_FAIL(stays);
			WRITE_JOURNAL();
			goto roll_back
		:: j.step == PULL && !replaced -> REACH; intr = true; goto put_back
#else
		:: j.step == PULL -> intr = true; goto put_back
#endif
		:: j.step != PULL && old_v && old_r -> REACH; intr = true; goto put_back
		:: else
		fi;
		if
#ifdef BUG_FORWARD_AGAIN
		:: !IS_SILENT && j.verb == V_DEPLOY && new_v && new_r -> goto complete
#endif
		:: j.step != ROLLBACK && !IS_SILENT && j.verb == V_ROLLBACK ->
			resumed = true;
			REACH; goto resume_rollback
		:: j.step != ROLLBACK && !IS_SILENT && j.verb == V_DEPLOY &&
		    new_v && new_r -> REACH; goto complete
		:: else -> REACH; intr = true; goto roll_back
		fi
	};

abandon:
	STEP;
	atomic {
		assert(person && env == p_env);
		MAY_FAIL(stays);
		RECORD(O_ABANDONED);
		MAY_FAIL(stays);
		rc = FAILED;
		goto clear
	};

complete:
	STEP;
#ifndef FOUND_NAME_LEFT
	/* a way back whose word did not get to the disk may have moved it */
	NAME_AGAIN(j.nimg, j.ntag);
	atomic {
		if
		:: mrc != OK -> REACH; goto stays
		:: else
		fi
	};
#endif
	atomic {
		out = O_RECOVERED;
#ifdef BUG_NO_GATE
		mrc = OK;
#else
		GATE(j.nimg, false);
#endif
		if
		:: mrc == OK -> REACH; gated = true; goto commit
		:: mrc == HOST -> REACH; goto stays
		:: mrc == FAILED -> REACH; goto roll_back
		fi
	};

resume_rollback:
	STEP;
	atomic {
		out = O_RECOVERED;
		mrc = OK;
		if
		:: !IS_SILENT && j.disp != j.nimg ->
			REACH; MOVE(M_TAG, j.ntag, j.nimg)
		:: else
		fi;
		if
		:: mrc == OK -> goto forward
#ifdef FOUND_TARGET_GONE
		:: mrc != OK -> goto stays
#else
		:: mrc == HOST -> goto stays
		:: mrc == FAILED -> REACH; goto roll_back
#endif
		fi
	};

cleared:
	STEP;
	atomic { MAY_FAIL(stays); CLEAR_JOURNAL(); goto mended };

request:
	atomic {
		if
		:: verb == V_RECOVER -> REACH; rc = OK; goto over
		:: else
		fi;
		MAY_FAIL(host);		/* deploy_read, describe, space */
		j.verb = verb; j.oldv = env; j.step = NONE
	};

/* snapshot: */
	atomic {
		b_env = env; b_state = ct_state; b_img = ct_img; b_tag = ct_tag;
		leftovers = ct_half || ct_state == CREATED;
		if
		:: IS_SILENT -> j.otag = env
		:: !IS_SILENT && (ct_state == RUNNING || ct_state == EXITED) ->
			j.cont = true; j.oimg = ct_img; j.otag = ct_tag; ct_rec = true
		:: else -> ct_rec = false
		fi;
		b_ran = j.oimg != 0 || IS_SILENT;
		mrc = OK;
#ifdef NAMES
		if
		:: j.oimg != 0 -> MOVE(M_KEEP, 0, j.oimg)
		:: else
		fi;
#endif
		if
		:: mrc != OK -> REACH; goto host
		:: else
		fi;
		if
		:: j.cont && ct_state == RUNNING && proven[j.oimg] != PROVEN ->
			if
			:: healthy[j.oimg] = true;	/* one probe; adopt() */
			   proven[j.oimg] = PROVEN; ptag[j.oimg] = j.otag
			:: true
			fi
		:: else
		fi;
		MAY_FAIL(host);
		if
		:: verb == V_ROLLBACK -> REACH; goto rollback
		:: else
		fi
	};

/* deploy: */
	atomic {
		MAY_FAIL(unchanged);	/* told to stop */
		MAY_FAIL(host);
		j.step = PULL; j.disp = (IS_SILENT -> 0 : name[j.ntag]);
		BEGIN();
		WRITE_JOURNAL();
		MAY_FAIL(host)		/* it is there, but could not be synced */
	};

/* pull, identify: */
	atomic {
		MOVE(M_PULL, j.ntag, 0);
		if
		:: mrc != OK -> REACH; goto put_back
		:: else
		fi;
		MAY_FAIL(put_back);
		if
		:: IS_SILENT
		:: !IS_SILENT && name[j.ntag] == 0 -> goto put_back
		:: else -> j.nimg = name[j.ntag]
		fi;
		out = O_DEPLOYED;
		goto forward
	};

rollback:
	STEP;
	/* the newest one that fits; the model takes any of them */
	atomic {
		if
		:: proven[1] == PROVEN && 1 != KEY(j.oimg, env) && !gone[1] -> n = 1
		:: proven[2] == PROVEN && 2 != KEY(j.oimg, env) && !gone[2] -> n = 2
		:: proven[3] == PROVEN && 3 != KEY(j.oimg, env) && !gone[3] -> n = 3
		:: else -> REACH; rc = REFUSED; goto over
		fi;
		assert(healthy[n]);
		j.ntag = ptag[n]; j.nimg = (IS_SILENT -> 0 : n); n = 0;
		j.disp = (IS_SILENT -> 0 : name[j.ntag]);
		j.step = SWAP;
		MAY_FAIL(unchanged);
		MAY_FAIL(host);
		BEGIN();
		WRITE_JOURNAL();
		MAY_FAIL(host)		/* it is there, but could not be synced */
	};
	atomic {
		out = O_DEPLOYED;
		mrc = OK;
		if
		:: !IS_SILENT && j.disp != j.nimg ->
			REACH; MOVE(M_TAG, j.ntag, j.nimg)
		:: else
		fi;
		if
		:: mrc != OK -> REACH; goto put_back
		:: else
		fi
	};

forward:
	STEP;
#ifdef BUG_SWAP_BEFORE_JOURNAL
	env = j.ntag;
#endif
	/* swap: the journal, then .env */
	atomic {
		assert(!back);
		MAY_FAIL(not_swapped);				/* TERM, disk */
		j.step = SWAP;
		WRITE_JOURNAL();
		MAY_FAIL(not_swapped)
	};
	atomic {
		MAY_FAIL(not_swapped);
		env = j.ntag;
		MAY_FAIL(not_swapped)
	};
	DO_UP(j.ntag);
	if
	:: mrc != OK -> REACH; goto roll_back
	:: else
	fi;
	atomic {
		GATE(j.nimg, calm == 2);
		if
		:: mrc != OK -> REACH; goto roll_back
		:: else -> gated = true
		fi
	};

commit:
	STEP;
	atomic {
		/* 0 is only for this */
		assert(!back && gated && env == j.ntag && alive &&
		    ct_tag == j.ntag && (IS_SILENT || ct_img == j.nimg));
		rc = OK;
#ifdef BUG_HISTORY_AFTER_CLEAR
		CLEAR_JOURNAL()
	};
	atomic {
		RECORD(out)
	};
#else
		MAY_FAIL(committed);
		RECORD(out);
		MAY_FAIL(committed)	/* it is there, but could not be synced */
	};
	atomic {
		MAY_FAIL(committed);
		CLEAR_JOURNAL()
	};
#endif
#ifdef NAMES
	if
	:: !IS_SILENT -> MOVE(M_KEEP, 0, j.nimg)
	:: else
	fi;
#endif
committed:
	STEP;
	/* recover.c: conclude() */
	atomic {
		if
		:: recovering && disk.step != NONE -> REACH; goto stays
		:: recovering && disk.step == NONE -> REACH; goto mended
		:: !recovering -> REACH; goto over
		fi
	};

not_swapped:
	STEP;
	atomic {
		if
#ifndef FOUND_SWAP_FAILS
		/* its `up` may have run: .env alone must not go back */
		:: resumed -> REACH; goto stays
		:: !resumed -> REACH; goto put_back
#else
		:: goto put_back
#endif
		fi
	};

put_back:
	STEP;
#ifndef FOUND_STUCK
	atomic {
		SETTLE();
		if
		:: mrc == HOST -> REACH; goto stays
		:: else
		fi
	};
#endif
	RESTORE_VALUE();
	if
	:: mrc == OK -> RESTORE_NAMES()
	:: else
	fi;
	atomic {
		if
		:: mrc != OK -> REACH; goto stays
		:: else -> REACH; rc = FAILED; out = O_PUT_BACK; goto close
		fi
	};

roll_back:
	STEP;
	atomic {
		j.step = ROLLBACK;
		if
		:: WRITE_JOURNAL()
		:: faults > 0 -> faults--
		fi
	};
#ifndef FOUND_STUCK
	atomic {
		SETTLE();
		if
		:: mrc == HOST -> REACH; goto stays
		:: else
		fi
	};
#endif
	RESTORE_VALUE();
	if
	:: mrc == OK || j.cont || IS_SILENT ->
		atomic { lies = mrc != OK };
		RESTORE_NAMES()
	:: else
	fi;
	if
	:: mrc == OK && !j.cont && !IS_SILENT ->
		/* a first deploy: what it made goes */
		if
		:: ct_state != GONE || ct_half -> REACH; MOVE(M_RM, 0, 1)
		:: else
		fi;
		if
		:: mrc == OK && (j.oldv == j.ntag || name[j.oldv] == 0) ->
			/* nothing serves */
			REACH; tried = true; mrc = FAILED
		:: mrc == OK && !(j.oldv == j.ntag || name[j.oldv] == 0) ->
			REACH; UP_AGAIN(j.oldv);
			if
			:: mrc == OK -> REACH; GATE(name[j.oldv], true)
			:: else
			fi
		:: else -> tried = true
		fi
	:: mrc == OK && (j.cont || IS_SILENT) ->
		UP_AGAIN(j.otag);
		if
		:: mrc != OK && IS_SILENT -> REACH
		:: mrc == HOST && !IS_SILENT -> REACH
		:: mrc != HOST && !(mrc != OK && IS_SILENT) ->
			GATE(j.oimg, true)
		fi
	:: else
	fi;
	if
#ifdef FOUND_ENV_LIES
	:: lies && mrc == OK -> mrc = HOST
#else
	:: lies -> REACH; mrc = HOST
#endif
	:: else
	fi;
	atomic {
		if
		:: mrc == OK ->
			REACH; rc = FAILED; out = O_ROLLED_BACK; goto close
		:: mrc == HOST -> REACH; goto stays
		:: mrc == FAILED ->
			/* 5 is for when the old version was tried in vain */
			assert(tried);
			REACH; rc = UNVERIFIED; out = O_UNVERIFIED
		fi
	};

close:
	STEP;
	atomic {
		/* 1: what was before is */
		assert(rc != FAILED || person || (env == b_env && names_back &&
		    ((out == O_PUT_BACK && (as_before || agrees)) ||
		    (out == O_ROLLED_BACK && runs_before))));
		MAY_FAIL(stays);
		RECORD(out);
		MAY_FAIL(stays)
	};
clear:
	STEP;
	atomic {
		MAY_FAIL(stays);
		CLEAR_JOURNAL();
		if
		:: recovering -> REACH; goto mended
		:: else -> REACH; goto over
		fi
	};

mended:
	/* whatever came of it, the request goes on */
	atomic {
		assert(disk.step == NONE);
		FORGET();
		j.ntag = asked; asked = 0;
		goto request
	};

host:
	atomic { rc = HOST; goto over };
unchanged:
	atomic { rc = FAILED; goto over };
stays:
	atomic { rc = (recovering -> HOST : (rc == FAILED -> FAILED : UNVERIFIED)); goto over };
over:
	atomic {
		assert(calm != 1 || disk.step == NONE);
		assert(calm != 2 || (rc == OK && disk.step == NONE));
		FORGET();
		verb = 0; asked = 0;
		if
		:: lock == me -> lock = 0
		:: else
		fi;
		idle2 = idle2 || me == 2
	}
	} unless {
		d_step {
			killed && lock == me ->
			killed = false;
			if
			:: mv[0].parent == me -> mv[0].parent = 0
			:: else
			fi;
			if
			:: mv[1].parent == me -> mv[1].parent = 0
			:: else
			fi;
			m_rc[me] = 0;
			if
			:: uplock == me -> uplock = 0
			:: else
			fi;
			lock = 0;
			idle2 = idle2 || me == 2;
			FORGET();
			verb = 0; asked = 0
		}
	}
	od
}

/* ---- the children that move something ---- */

/* docker says no, or was ended half way; in the finale it works */
inline MAY_STOP()
{
	if
	:: true
	:: calm == 0 -> bad = true; goto ended
	fi
}

proctype Mover(byte s)
{
	byte img;
	bool bad;

end_idle:
	do
	:: d_step {
		mv[s].kind != 0 ->
		working++;
		assert(working == 1)
	   }
	   if
	   :: mv[s].kind == M_PULL ->
		MAY_STOP();
		atomic {
			name[mv[s].tag] = registry[mv[s].tag];
			gone[registry[mv[s].tag]] = false
		}
		MAY_STOP()
	   :: mv[s].kind == M_TAG ->
		atomic {
			if
			:: gone[mv[s].img] -> REACH; bad = true; goto ended
			:: else
			fi;
			MAY_STOP();
			name[mv[s].tag] = mv[s].img
		}
	   :: mv[s].kind == M_KEEP ->
		MAY_STOP();
#ifdef PRUNED
		kept[mv[s].img] = true
#endif
	   :: mv[s].kind == M_RM ->
		MAY_STOP();
		d_step {
			ct_half = false;
			if
			:: mv[s].img == 1 ->
				ct_state = GONE; ct_img = 0; ct_tag = 0; ct_rec = false
			:: else
			fi
		}
	   :: mv[s].kind == M_UP ->
		atomic {
			img = name[mv[s].tag];
			if
			:: img == 0 -> bad = true; goto ended
			:: else
			fi;
			MAY_STOP();
			if
			:: ct_half && !IS_SILENT -> bad = true; goto ended	/* a name conflict */
			:: true
			fi;
			if
			:: ct_state == RUNNING && ct_img == img && ct_tag == mv[s].tag ->
				REACH; goto ended
			:: ct_state != RUNNING && ct_state != GONE && ct_img == img &&
			    ct_tag == mv[s].tag -> REACH; goto start
			:: ct_state == GONE -> REACH; goto create
			:: else -> REACH; ct_half = true
			fi
		}
		atomic {
			MAY_STOP();
			ct_state = EXITED
		}
		atomic {
			MAY_STOP();
			/* it is gone, and the new one has not got its name yet */
			ct_state = GONE; ct_img = 0; ct_tag = 0; ct_rec = false
		}
create:
		atomic {
			MAY_STOP();
			ct_half = false;
			ct_state = CREATED; ct_img = img; ct_tag = mv[s].tag; ct_rec = false
		}
start:
		atomic {
			MAY_STOP();
			ct_half = false;
			ct_state = RUNNING
		}
	   fi;
ended:
	   atomic {
		working--;
		if
		:: mv[s].parent != 0 -> m_rc[mv[s].parent] = 1 + bad
		:: else
		fi;
		if
#ifdef BUG_LOCK_LEFT
		:: bad
		:: !bad && uplock == 3 + s -> uplock = 0; hung = false
#else
		:: uplock == 3 + s -> uplock = 0; hung = false
#endif
		:: else
		fi;
		mv[s].kind = 0; mv[s].tag = 0; mv[s].img = 0; mv[s].parent = 0;
		img = 0; bad = false
	   }
	od
}

/* ---- the world ---- */

#define dangling(i) (!gone[i] && !kept[i] && ct_img != i && \
    name[1] != i && name[2] != i && name[3] != i)

#define unused(i) (!gone[i] && ct_img != i)

inline LOSE(i)
{
	gone[i] = true;
	kept[i] = false;
	if
	:: name[1] == i -> name[1] = 0
	:: else
	fi;
	if
	:: name[2] == i -> name[2] = 0
	:: else
	fi;
	if
	:: name[3] == i -> name[3] = 0
	:: else
	fi
}

proctype World()
{
end_idle:
	do
	:: d_step { kills > 0 && lock != 0 && !killed -> kills--; killed = true }
	:: d_step { IS_STUCK && faults > 0 && uplock > 2 && !hung -> faults--; hung = true }
	:: d_step {
		IS_CRASH && events > 0 && disk.step != NONE && ct_state == RUNNING ->
		events--; ct_state = EXITED; crashed = true
	   }
	:: atomic {
		IS_PERSON && events > 0 && lock == 0 ->
		events--;
		person = true;
		if
		:: env = 1
		:: env = 2
		:: env = 3
		fi;
		p_env = env
	   }
	:: d_step {
		IS_PERSON && events > 0 && lock == 0 && uplock == 0 && name[env] != 0 ->
		events--;
		person = true;
		ct_state = RUNNING; ct_img = name[env]; ct_tag = env;
		ct_half = false; ct_rec = false
	   }
	/* a boot: its unit says `docker compose up -d` before `recover` */
	:: d_step {
		IS_BOOT && events > 0 && lock == 0 && uplock == 0 &&
		    disk.step != NONE && name[env] != 0 ->
		events--; booted = true;
		if
		:: ct_state != GONE && ct_img == name[env] && ct_tag == env
		:: else -> ct_rec = false
		fi;
		ct_state = RUNNING; ct_img = name[env]; ct_tag = env; ct_half = false
	   }
	:: d_step { IS_PRUNED && events > 0 && dangling(1) -> events--; gone[1] = true }
	:: d_step { IS_PRUNED && events > 0 && dangling(2) -> events--; gone[2] = true }
	:: d_step { IS_PRUNED && events > 0 && dangling(3) -> events--; gone[3] = true }
	/* rmi -f */
	:: d_step { IS_FORCED && events > 0 && unused(1) -> events--; LOSE(1) }
	:: d_step { IS_FORCED && events > 0 && unused(2) -> events--; LOSE(2) }
	:: d_step { TAG_MOVES && registry[1] == 2 -> registry[1] = 3 }
	od
}

init {
	atomic {
		registry[1] = 1; registry[2] = 2; registry[3] = 3;
		gone[0] = true;
		name[1] = 1;
		ct_state = RUNNING; ct_img = 1; ct_tag = 1;
#if defined(MUTABLE)
		registry[1] = 2;
#ifdef VERB_ROLLBACK
		/* 2 ran after 1, under the same tag */
		ct_img = 2; name[1] = 2;
#endif
#elif defined(DRIFT)
		/* .env says 1, 2 runs, 3 is asked for */
		ct_img = 2; ct_tag = 2; name[2] = 2;
#elif defined(FIRST)
		ct_state = GONE; ct_img = 0; ct_tag = 0;
		if
		:: name[1] = 0
		:: name[1] = 1
		fi;
#elif defined(VERB_ROLLBACK)
		ct_img = 2; ct_tag = 2; name[2] = 2;
#else
		/* the new tag may have been used for another image before */
		if
		:: name[2] = 0
		:: name[2] = 3
		fi;
#endif
#ifdef VERB_ROLLBACK
		proven[1] = PROVEN; ptag[1] = 1; healthy[1] = true; kept[1] = true;
		proven[2] = PROVEN; ptag[2] = ct_tag; healthy[2] = true; kept[2] = true;
#endif
		run Client(1);
		run Client(2);
		run Mover(0);
		run Mover(1);
		run World()
	}
}
