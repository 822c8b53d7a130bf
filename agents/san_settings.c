/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/san_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"
#include "san/members.h"

enum { PASSWORD_BYTES_MAX = 256, NAME_BYTES = 256 };

void vrms_san_self(char name[VRMS_SAN_NAME_BYTES])
{
	struct utsname self;

	snprintf(name, VRMS_SAN_NAME_BYTES, "%s", uname(&self) == 0 ? self.nodename : "");
}

/* %n is the node's name, %c the cluster's. */
static int fill_template(const char *text, const char *node, const char *cluster, char *name,
			 struct vrms_error *error)
{
	size_t used = 0;

	for (const char *c = text; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};
		const char *part = one;

		if (c[0] == '%' && (c[1] == 'n' || c[1] == 'c')) {
			part = *++c == 'n' ? node : cluster;
		}
		if (used + strlen(part) >= NAME_BYTES) {
			return vrms_error_set(error, -EINVAL, "initiator: \"%s\" gets too long",
					      text);
		}
		used += (size_t)sprintf(name + used, "%s", part);
	}
	name[used] = '\0';
	return 0;
}

static int read_cluster(const struct vrms_san_settings *settings, struct vrms_san_cluster *cluster,
			struct vrms_error *error)
{
	int rc = 0;

	if (settings->cluster == NULL || settings->nodes == NULL) {
		rc = vrms_san_members_read(cluster, error);
	}
	if (rc == 0 && settings->cluster != NULL) {
		snprintf(cluster->name, sizeof(cluster->name), "%s", settings->cluster);
	}
	if (rc == 0 && settings->nodes != NULL) {
		rc = vrms_san_nodes_parse(settings->nodes, cluster, error);
	}
	return rc < 0 ? rc
		      : vrms_san_keys_make((enum vrms_san_key_format)settings->key_format,
					   settings->keys, cluster, error);
}

static int read_password(const struct vrms_san_settings *settings, char **ret_password,
			 struct vrms_error *error)
{
	char *text = NULL;

	if (settings->chap_password_file == NULL) {
		*ret_password =
		    strdup(settings->chap_password != NULL ? settings->chap_password : "");
		return *ret_password != NULL ? 0 : -ENOMEM;
	}
	int rc =
	    vrms_file_read(settings->chap_password_file, PASSWORD_BYTES_MAX, &text, NULL, error);
	if (rc < 0) {
		return vrms_error_wrap(error, rc, "chap_password_file");
	}
	text[strcspn(text, "\r\n")] = '\0';
	*ret_password = text;
	return 0;
}

static int find_node(const char *name, struct vrms_san *san, struct vrms_error *error)
{
	san->node = name != NULL ? vrms_san_node_find(&san->cluster, name) : NULL;
	return name == NULL || san->node != NULL
		   ? 0
		   : vrms_error_set(error, -ENOENT, "no node \"%s\" in the cluster \"%s\"", name,
				    san->cluster.name);
}

static int fill_access(const struct vrms_san_settings *settings, const char *node_name,
		       struct vrms_san *san, struct vrms_error *error)
{
	char self[VRMS_SAN_NAME_BYTES];

	vrms_san_self(self);
	int rc =
	    fill_template(settings->initiator, self, san->cluster.name, san->initiator_self, error);
	if (rc == 0) {
		rc = fill_template(settings->initiator, node_name != NULL ? node_name : self,
				   san->cluster.name, san->initiator_node, error);
	}
	san->access = (struct vrms_san_access){
	    .initiators = {[VRMS_PR_CLUSTER] = san->initiator_self,
			   [VRMS_PR_NODE] = san->initiator_node,
			   [VRMS_PR_VICTIM] = san->initiator_node},
	    .user = settings->chap_user,
	    .password = san->password,
	    .timeout_ms = settings->portal_timeout_ms,
	    .settle_ms = settings->settle_ms,
	    .clock = vrms_clock_system(),
	};
	return rc;
}

int vrms_san_make(const struct vrms_san_settings *settings, const char *node_name,
		  struct vrms_san *ret_san, struct vrms_error *error)
{
	memset(ret_san, 0, sizeof(*ret_san));
	ret_san->lets_foreign_be = settings->foreign_keys == VRMS_SAN_FOREIGN_ALLOW;
	int rc = vrms_san_luns_parse(settings->luns, &ret_san->luns, error);

	rc = rc < 0 ? rc : read_cluster(settings, &ret_san->cluster, error);
	rc = rc < 0 ? rc : find_node(node_name, ret_san, error);
	rc = rc < 0 ? rc : read_password(settings, &ret_san->password, error);
	return rc < 0 ? rc : fill_access(settings, node_name, ret_san, error);
}

void vrms_san_done(struct vrms_san *san)
{
	vrms_san_luns_done(&san->luns);
	free(san->password);
	san->password = NULL;
}

struct vrms_pr_job vrms_san_job(const struct vrms_san *san, enum vrms_pr_goal goal)
{
	struct vrms_pr_job job = {
	    .goal = goal,
	    .cluster_key = san->cluster.key,
	    .known = san->cluster.known,
	    .known_count = san->cluster.node_count * VRMS_SAN_KEYS_PER_NODE,
	    .lets_foreign_be = san->lets_foreign_be,
	};

	if (san->node != NULL) {
		job.subjects[0] = san->node->key;
		job.subjects[1] = san->node->guests_key;
	}
	memcpy(job.families, san->cluster.families, sizeof(job.families));
	return job;
}

int vrms_san_look_at(const struct vrms_san *san, const struct vrms_san_lun *lun,
		     struct vrms_pr_view *ret_view, struct vrms_error *error)
{
	int rc = -EHOSTUNREACH;

	for (unsigned path = 0; path < lun->path_count && rc < 0; path++) {
		struct vrms_iscsi *session VRMS_CLEANUP(vrms_iscsi_closep) = NULL;

		rc = vrms_san_open(lun, path, &san->access, VRMS_PR_CLUSTER, &session, error);
		rc = rc < 0 ? rc : vrms_san_look(session, ret_view, error);
	}
	return rc;
}

/* One LUN's share of the work. */
struct one {
	const struct vrms_san *san;
	size_t index;
	vrms_san_work *work;
	void *context;
	pthread_t thread;
	bool has_thread;
	int rc;
	struct vrms_error error;
};

static void *run_one(void *one_)
{
	struct one *one = one_;
	char name[NAME_BYTES];

	one->rc = one->work(one->san, one->index, one->context, &one->error);
	if (one->rc < 0) {
		vrms_san_lun_name(&one->san->luns.luns[one->index], name, sizeof(name));
		vrms_error_wrap(&one->error, one->rc, "%s", name);
	}
	return NULL;
}

static int summarize(const struct one *ones, size_t count, struct vrms_error *error)
{
	const struct one *first = NULL;
	size_t failed_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (ones[i].rc < 0) {
			first = first == NULL ? &ones[i] : first;
			failed_count++;
		}
	}
	if (failed_count > 1) {
		return vrms_error_set(error, first->rc, "%.380s (and %zu more of %zu LUNs)",
				      first->error.text, failed_count - 1, count);
	}
	return first != NULL ? vrms_error_set(error, first->rc, "%s", first->error.text) : 0;
}

int vrms_san_each(const struct vrms_san *san, vrms_san_work *work, void *context,
		  struct vrms_error *error)
{
	struct one *ones VRMS_CLEANUP(vrms_freep) = calloc(san->luns.count, sizeof(*ones));

	if (ones == NULL) {
		return vrms_error_set(error, -ENOMEM, "no memory");
	}
	for (size_t i = 0; i < san->luns.count; i++) {
		ones[i] = (struct one){.san = san, .index = i, .work = work, .context = context};
		ones[i].has_thread = pthread_create(&ones[i].thread, NULL, run_one, &ones[i]) == 0;
		if (!ones[i].has_thread) {
			run_one(&ones[i]);
		}
	}
	for (size_t i = 0; i < san->luns.count; i++) {
		if (ones[i].has_thread) {
			pthread_join(ones[i].thread, NULL);
		}
	}
	return summarize(ones, san->luns.count, error);
}

static int run_job(const struct vrms_san *san, size_t index, void *goal, struct vrms_error *error)
{
	struct vrms_pr_job job = vrms_san_job(san, *(const enum vrms_pr_goal *)goal);

	return vrms_san_run(&san->luns.luns[index], &san->access, &job, error);
}

int vrms_san_run_all(const struct vrms_san *san, enum vrms_pr_goal goal, struct vrms_error *error)
{
	return vrms_san_each(san, run_job, &goal, error);
}

int vrms_san_key_file_write(const struct vrms_san *san, const char *path, struct vrms_error *error)
{
	char text[64];
	char *folder VRMS_CLEANUP(vrms_freep) = strdup(path);
	char *slash = folder != NULL ? strrchr(folder, '/') : NULL;

	if (slash == NULL || slash == folder) {
		return vrms_error_set(error, -EINVAL, "key_file: \"%s\" is no absolute path", path);
	}
	*slash = '\0';
	int rc = vrms_file_mkdir_all(folder, 0755, error);
	if (rc < 0) {
		return rc;
	}
	int size = snprintf(text, sizeof(text), "%016" PRIx64 " %016" PRIx64 "\n", san->node->key,
			    san->node->guests_key);
	return vrms_file_write(path, text, (size_t)size, 0644, error);
}

int vrms_san_start_behind(const char *command, const char *node, struct vrms_error *error)
{
	pid_t pid = fork();

	if (pid < 0) {
		return vrms_error_errno(error, -errno, "behind");
	}
	if (pid == 0) {
		/* Nobody waits for it, nor for the end of what it prints. */
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fork() != 0) {
			_exit(EXIT_SUCCESS);
		}
		setsid();
		setenv("VRMS_FENCE_NODE", node, 1);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(EXIT_FAILURE);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	return 0;
}
