/* A module that calls commands for others, as modules do: in nobody's name, in its caller's, and in that of a user of its
 * own. The tests build it; it declares what it uses of the module API itself, since the server's header may not be there.
 *
 *   PROXY.PLAIN command [argument ...]   RM_Call without a user
 *   PROXY.AS command [argument ...]      RM_Call with flag C: as the caller
 *   PROXY.OWN command [argument ...]     as a user that this module made, who may do anything
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define OK 0
#define ERR 1

typedef struct Ctx Ctx;
typedef struct String String;
typedef struct Reply Reply;
typedef struct User User;
typedef int Command(Ctx *, String **, int);

static int (*SetModuleAttribs)(Ctx *, const char *, int, int);
static int (*CreateCommand)(Ctx *, const char *, Command *, const char *, int, int, int);
static Reply *(*Call)(Ctx *, const char *, const char *, ...);
static void (*FreeCallReply)(Reply *);
static const char *(*StringPtrLen)(const String *, size_t *);
static int (*ReplyWithCallReply)(Ctx *, Reply *);
static int (*ReplyWithError)(Ctx *, const char *);
static User *(*CreateModuleUser)(const char *);
static int (*SetModuleUserACL)(User *, const char *);
static void (*SetContextUser)(Ctx *, const User *);

static User *own;

static int forward(Ctx *ctx, String **argv, int argc, const char *format) {
    if (argc < 2) return ReplyWithError(ctx, "ERR wrong number of arguments");
    size_t length;
    const char *told = StringPtrLen(argv[1], &length);
    char name[64];
    if (length >= sizeof(name) || memchr(told, 0, length)) return ReplyWithError(ctx, "ERR no such command");
    memcpy(name, told, length);
    name[length] = 0;
    errno = 0;
    Reply *reply = Call(ctx, name, format, argv + 2, (size_t)argc - 2);
    if (!reply) return ReplyWithError(ctx, errno == EACCES ? "NOPERM refused" : "ERR refused");
    ReplyWithCallReply(ctx, reply);
    FreeCallReply(reply);
    return OK;
}

static int plain(Ctx *ctx, String **argv, int argc) { return forward(ctx, argv, argc, "!0Ev"); }

static int as_caller(Ctx *ctx, String **argv, int argc) { return forward(ctx, argv, argc, "!0ECv"); }

static int as_own(Ctx *ctx, String **argv, int argc) {
    SetContextUser(ctx, own);
    return forward(ctx, argv, argc, "!0ECv");
}

int RedisModule_OnLoad(Ctx *ctx, String **argv, int argc) {
    (void)argv;
    (void)argc;
    /* The context begins with the function that finds all others. */
    int (*find)(const char *, void *) = *(int (**)(const char *, void *))ctx;
#define FIND(function) if (find("RedisModule_" #function, &function) != OK) return ERR
    FIND(SetModuleAttribs);
    FIND(CreateCommand);
    FIND(Call);
    FIND(FreeCallReply);
    FIND(StringPtrLen);
    FIND(ReplyWithCallReply);
    FIND(ReplyWithError);
    FIND(CreateModuleUser);
    FIND(SetModuleUserACL);
    FIND(SetContextUser);
    if (SetModuleAttribs(ctx, "proxy", 1, 1) == ERR) return ERR;
    own = CreateModuleUser("of-the-proxy");
    SetModuleUserACL(own, "~*");
    SetModuleUserACL(own, "+@all");
    if (CreateCommand(ctx, "proxy.plain", plain, "write", 0, 0, 0) == ERR) return ERR;
    if (CreateCommand(ctx, "proxy.as", as_caller, "write", 0, 0, 0) == ERR) return ERR;
    if (CreateCommand(ctx, "proxy.own", as_own, "write", 0, 0, 0) == ERR) return ERR;
    return OK;
}
