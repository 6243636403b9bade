#include "cli/frozen.h"

#include "deploy/deploy.h"
#include "sys/log.h"

#include <syslog.h>

int
frozen_begin(struct call *c, const struct target *t, struct fault *f)
{
	char text[FAULT_WHAT_MAX];
	struct freeze z;
	int rc = freeze_run(t, &c->who, c->request.reason, c->request.lasts, &z, f);

	if (rc == 0) {
		c->frozen = &z;
		(void)freeze_text(&z, text, sizeof(text));
		log_event(LOG_NOTICE, "target %s is frozen: %s", t->name, text);
		output_line(&c->output, "target %s is frozen: %s", t->name, text);
	}
	if (c->request.json)
		handler_no_record(c, t, NULL, NULL, "frozen", f);
	c->frozen = NULL;
	return rc;
}

int
frozen_end(struct call *c, const struct target *t, struct fault *f)
{
	char text[FAULT_WHAT_MAX];
	struct freeze z;
	bool was;
	int rc = unfreeze_run(t, &z, &was, f);

	if (rc == 0 && was) {
		c->frozen = z.time[0] == '\0' ? NULL : &z;
		log_event(LOG_NOTICE, "target %s is no longer frozen, by %s", t->name,
		    c->who.actor);
		output_line(&c->output, "target %s is no longer frozen%s%s", t->name,
		    c->frozen == NULL ? "" : "; it was: ",
		    c->frozen == NULL ? "" : freeze_text(&z, text, sizeof(text)));
	} else if (rc == 0)
		output_line(&c->output, "target %s was not frozen", t->name);
	if (c->request.json)
		handler_no_record(c, t, NULL, NULL, was ? "unfrozen" : "nothing to do",
		    f);
	c->frozen = NULL;
	return rc;
}
