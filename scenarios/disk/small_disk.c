/* small_disk.c - see small_disk.h. Runs in a child of the test program. */
#include "small_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>

int small_disk_child(void (*body)(void *context), void *context)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        body(context);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool text_write(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool mounts_of_its_own(void)
{
    char users[32], groups[32];
    if (geteuid() == 0) {
        return unshare(CLONE_NEWNS) == 0;
    }
    snprintf(users, sizeof users, "0 %u 1\n", geteuid());
    snprintf(groups, sizeof groups, "0 %u 1\n", getegid());
    return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 &&
           text_write("/proc/self/setgroups", "deny") && text_write("/proc/self/uid_map", users) &&
           text_write("/proc/self/gid_map", groups);
}

bool small_disk_mount(const char *folder, unsigned kilobytes)
{
    char size[64];
    snprintf(size, sizeof size, "size=%uk,mode=777", kilobytes);
    bool ok = mounts_of_its_own() && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
              mount("small", folder, "tmpfs", 0, size) == 0;
    if (!ok) {
        fprintf(stderr, "no small disk: mounting is not allowed here\n");
    }
    return ok;
}

static void filler_name(char *name, size_t room, const char *folder)
{
    snprintf(name, room, "%s/filler", folder);
}

bool small_disk_fill(const char *folder)
{
    char block[512] = {0}, name[256];
    filler_name(name, sizeof name, folder);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    while (write(fd, block, sizeof block) > 0) {
    }
    bool full = errno == ENOSPC;
    close(fd);
    return full;
}

bool small_disk_free(const char *folder)
{
    char name[256];
    filler_name(name, sizeof name, folder);
    return unlink(name) == 0;
}
