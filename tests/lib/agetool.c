/* agetool: the age and minisig libraries as a command, for scenario tests.  Streams with bounded memory.
 *
 * 	agetool keygen                                  identity to stdout
 * 	agetool recipient IDENTITY
 * 	agetool encrypt -r RECIPIENT...                 stdin → stdout
 * 	agetool encrypt-pass PASSFILE [LOG_N]
 * 	agetool decrypt IDENTITY [PASSFILE]             PASSFILE when the identity file itself is encrypted
 * 	agetool decrypt-pass PASSFILE
 * 	agetool decrypt-at IDENTITY OFFSET LEN          random access, stdin is a file
 * 	agetool reseal IDENTITY FILE                    stdin under FILE's own header, key and nonce: what an attacker makes who
 * 	                                                 had the host when FILE was written
 * 	agetool minisign gen PUBLIC SECRET
 * 	agetool minisign public SECRET                  public key file to stdout
 * 	agetool minisign sign SECRET TRUSTED-COMMENT    message on stdin, signature to stdout
 * 	agetool minisign verify PUBLIC SIGNATURE        message on stdin, prints the trusted comment
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/age.h"
#include "format/crypto/minisig.h"

#define SEALED	  ((size_t)AGE_SEGMENT + AGE_TAG)
#define SMALL_MAX ((size_t)16 << 20)

static void die(const struct err *err)
{
	fprintf(stderr, "agetool: %s: %s\n", err->code, err->msg);
	if (err->hint[0])
		fprintf(stderr, "  → %s\n", err->hint);
	exit(2);
}

static void fill(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random rnd = {fill, NULL};

static void put(struct buf *b)
{
	if (io_write_full(STDOUT_FILENO, b->p, b->n)) {
		perror("agetool: stdout");
		exit(2);
	}
	b->n = 0;
}

static size_t get(void *p, size_t n)
{
	ssize_t r = io_read_full(STDIN_FILENO, p, n);

	if (r < 0) {
		perror("agetool: stdin");
		exit(2);
	}
	return (size_t)r;
}

static void load(const char *name, struct buf *b)
{
	struct err err = ERR_INIT;

	if (io_read_file(AT_FDCWD, name, b, &err) != 0 || buf_terminate(b, &err))
		die(&err);
}

static const char *load_pass(const char *name, struct buf *b)
{
	load(name, b);
	b->p[strcspn((char *)b->p, "\n")] = '\0';
	return (char *)b->p;
}

/* Plain, armoured or encrypted to a passphrase. */
static void load_identities(const char *name, const char *pass_file, struct age_identity **ids, size_t *n)
{
	BUF_AUTO file = BUF_INIT(SMALL_MAX);
	BUF_AUTO raw = BUF_INIT(SMALL_MAX);
	BUF_AUTO pass = BUF_INIT(4096);
	struct err err = ERR_INIT;

	load(name, &file);
	if (age_is_armored(file.p, file.n)) {
		if (age_dearmor(file.p, file.n, &raw, &err))
			die(&err);
		file.n = 0;
		if (buf_append(&file, raw.p, raw.n, &err))
			die(&err);
		raw.n = 0;
	}
	if (age_is_age(file.p, file.n)) {
		if (age_decrypt_scrypt(
			file.p, file.n, load_pass(pass_file ? pass_file : "", &pass), 22, &raw, &err))
			die(&err);
		file.n = 0;
		if (buf_append(&file, raw.p, raw.n, &err))
			die(&err);
	}
	if (age_identities_parse((char *)file.p, file.n, ids, n, &err))
		die(&err);
}

static int encrypt_rest(struct age_writer *w, struct buf *out)
{
	static uint8_t in[100000]; /* not a multiple of anything */
	struct err err = ERR_INIT;
	size_t n;

	do {
		n = get(in, sizeof(in));
		if (age_writer_update(w, in, n, out, &err))
			die(&err);
		put(out);
	} while (n);
	if (age_writer_finish(w, out, &err))
		die(&err);
	put(out);
	age_writer_free(w);
	return 0;
}

static int encrypt(int argc, char **argv)
{
	BUF_AUTO out = BUF_INIT((size_t)4 << 20);
	struct age_recipient r[64];
	struct age_writer *w = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	for (int i = 0; i + 1 < argc && n < 64; i += 2)
		if (age_recipient_parse(argv[i + 1], &r[n++], &err))
			die(&err);
	if (age_writer_new(r, n, &rnd, &out, &w, &err))
		die(&err);
	return encrypt_rest(w, &out);
}

static int encrypt_pass(int argc, char **argv)
{
	BUF_AUTO out = BUF_INIT((size_t)4 << 20);
	BUF_AUTO pass = BUF_INIT(4096);
	struct age_writer *w = NULL;
	struct err err = ERR_INIT;
	int log_n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 18;

	if (age_writer_new_scrypt(load_pass(argv[0], &pass), log_n, &rnd, &out, &w, &err))
		die(&err);
	return encrypt_rest(w, &out);
}

/* Reads as much as the header needs; what was read too much stays in `in` behind *len. */
static struct age_header *read_header(struct buf *in, size_t *len)
{
	struct age_header *h = NULL;
	struct err err = ERR_INIT;
	size_t n = 1;
	int r = AGE_MORE;

	while (r == AGE_MORE && n) {
		if (buf_reserve(in, in->n + 200, &err))
			die(&err);
		n = get(in->p + in->n, in->n + 200);
		in->n += n;
		r = age_header_parse(in->p, in->n, &h, len, &err);
	}
	if (r == AGE_MORE)
		err_set(&err, "E-AGE-01", "the header ends early");
	if (r)
		die(&err);
	return h;
}

static void unwrap(const struct age_header *h, char **argv, int argc, bool pass, uint8_t key[AGE_FILE_KEY])
{
	BUF_AUTO phrase = BUF_INIT(4096);
	struct age_identity *ids = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	if (pass) {
		if (age_header_unwrap_scrypt(h, load_pass(argv[0], &phrase), 22, key, &err))
			die(&err);
		return;
	}
	load_identities(argv[0], argc > 1 ? argv[1] : NULL, &ids, &n);
	if (age_header_unwrap(h, ids, n, key, &err))
		die(&err);
	age_identities_free(ids, n);
}

/* One byte is read ahead, to know which segment is the last. */
static void decrypt_segments(struct age_payload *pl, struct buf *in)
{
	BUF_AUTO out = BUF_INIT(AGE_SEGMENT);
	struct err err = ERR_INIT;
	bool last = false;

	if (buf_reserve(&out, AGE_SEGMENT, &err))
		die(&err);
	for (uint64_t i = 0; !last; i++) {
		size_t want = SEALED + 1;
		size_t take;

		if (in->n < want) {
			if (buf_reserve(in, want - in->n, &err))
				die(&err);
			in->n += get(in->p + in->n, want - in->n);
		}
		last = in->n < want;
		take = last ? in->n : SEALED;
		if (age_payload_open(pl, i, last, in->p, take, out.p, &err))
			die(&err);
		out.n = take - AGE_TAG;
		put(&out);
		buf_consume(in, take);
	}
}

static int decrypt(int argc, char **argv, bool pass)
{
	BUF_AUTO in = BUF_INIT((size_t)4 << 20);
	struct err err = ERR_INIT;
	uint8_t key[AGE_FILE_KEY];
	struct age_payload *pl;
	size_t len;
	struct age_header *h = read_header(&in, &len);

	unwrap(h, argv, argc, pass, key);
	buf_consume(&in, len);
	if (buf_reserve(&in, AGE_NONCE, &err))
		die(&err);
	if (in.n < AGE_NONCE)
		in.n += get(in.p + in.n, AGE_NONCE - in.n);
	if (in.n < AGE_NONCE) {
		err_set(&err, "E-AGE-05", "the file ends within its nonce");
		die(&err);
	}
	pl = age_payload_new(key, in.p);
	if (!pl)
		abort();
	buf_consume(&in, AGE_NONCE);
	decrypt_segments(pl, &in);
	age_payload_free(pl);
	age_header_free(h);
	return 0;
}

struct range {
	int64_t start; /* of the payload's first segment in the file */
	uint64_t payload;
	uint64_t off;
	uint64_t end;
};

static void decrypt_range(struct age_payload *pl, const struct range *r)
{
	static uint8_t segment[SEALED];
	uint64_t last = (r->payload - 1) / SEALED;
	BUF_AUTO out = BUF_INIT(AGE_SEGMENT);
	struct err err = ERR_INIT;

	for (uint64_t i = r->off / AGE_SEGMENT; r->off < r->end && i <= last && i * AGE_SEGMENT < r->end;
	     i++) {
		size_t n = i == last ? (size_t)(r->payload - last * SEALED) : SEALED;
		uint64_t base = i * AGE_SEGMENT;
		uint64_t from = r->off > base ? r->off - base : 0;
		uint64_t to = r->end - base < n - AGE_TAG ? r->end - base : n - AGE_TAG;

		if (io_pread_full(STDIN_FILENO, segment, n, r->start + (int64_t)(i * SEALED)) != (ssize_t)n)
			abort();
		if (age_payload_open(pl, i, i == last, segment, n, segment, &err) ||
		    buf_append(&out, segment + from, (size_t)(to - from), &err))
			die(&err);
		put(&out);
	}
}

static int decrypt_at(char **argv)
{
	BUF_AUTO in = BUF_INIT((size_t)4 << 20);
	struct err err = ERR_INIT;
	uint8_t key[AGE_FILE_KEY];
	uint8_t nonce[AGE_NONCE];
	struct range r = {0};
	struct age_payload *pl;
	struct stat st;
	uint64_t plain;
	size_t len;
	struct age_header *h = read_header(&in, &len);

	unwrap(h, argv, 1, false, key);
	if (fstat(STDIN_FILENO, &st) ||
	    io_pread_full(STDIN_FILENO, nonce, AGE_NONCE, (int64_t)len) != AGE_NONCE)
		abort();
	r.start = (int64_t)len + AGE_NONCE;
	r.payload = (uint64_t)(st.st_size - r.start);
	r.off = strtoull(argv[1], NULL, 10);
	if (age_plain_size(r.payload, &plain, &err))
		die(&err);
	r.end = r.off + strtoull(argv[2], NULL, 10);
	r.end = r.end < plain ? r.end : plain;
	pl = age_payload_new(key, nonce);
	if (!pl)
		abort();
	decrypt_range(pl, &r);
	age_payload_free(pl);
	age_header_free(h);
	return 0;
}

/* HKDF-SHA-256 of 32 bytes, and one segment after the other, as age's specification has it, with none of ours */
static int reseal(char **argv)
{
	BUF_AUTO file = BUF_INIT((size_t)256 << 20);
	BUF_AUTO out = BUF_INIT(SEALED);
	uint8_t key[AGE_FILE_KEY], prk[32], payload[32], plain[AGE_SEGMENT + 1], nonce[12] = {0};
	struct age_header *h = NULL;
	struct err err = ERR_INIT;
	unsigned long long sealed;
	size_t len, n, have;

	load(argv[1], &file);
	if (age_header_parse(file.p, file.n, &h, &len, &err))
		die(&err);
	unwrap(h, argv, 1, false, key);
	age_header_free(h);
	crypto_auth_hmacsha256_state st;
	crypto_auth_hmacsha256_init(&st, file.p + len, AGE_NONCE);
	crypto_auth_hmacsha256_update(&st, key, sizeof(key));
	crypto_auth_hmacsha256_final(&st, prk);
	crypto_auth_hmacsha256(payload, (const uint8_t *)"payload\1", 8, prk);
	file.n = len + AGE_NONCE;
	put(&file);
	if (buf_reserve(&out, SEALED, &err))
		die(&err);
	for (have = get(plain, sizeof(plain)), nonce[11] = 0; nonce[11] == 0;
	     have = have - n + get(plain + have - n, sizeof(plain) - (have - n))) {
		n = have < AGE_SEGMENT ? have : AGE_SEGMENT;
		nonce[11] = have <= AGE_SEGMENT;
		crypto_aead_chacha20poly1305_ietf_encrypt(
		    out.p, &sealed, plain, n, NULL, 0, NULL, nonce, payload);
		out.n = (size_t)sealed;
		put(&out);
		memmove(plain, plain + n, have - n);
		for (int i = 10; i >= 0 && !++nonce[i]; i--)
			;
	}
	return 0;
}

static int keygen(void)
{
	char text[AGE_IDENTITY_TEXT];
	struct age_identity id;

	age_identity_generate(&rnd, &id);
	puts(age_identity_format(&id, text));
	return 0;
}

static int recipients(char **argv)
{
	char text[AGE_RECIPIENT_TEXT];
	struct age_identity *ids = NULL;
	struct age_recipient r;
	size_t n = 0;

	load_identities(argv[0], NULL, &ids, &n);
	for (size_t i = 0; i < n; i++)
		if (age_identity_recipient(&ids[i], &r) == 0)
			puts(age_recipient_format(&r, text));
	age_identities_free(ids, n);
	return 0;
}

static void load_secret(const char *name, struct minisig_secret *sec)
{
	BUF_AUTO file = BUF_INIT(SMALL_MAX);
	struct err err = ERR_INIT;

	load(name, &file);
	if (minisig_secret_file_parse((char *)file.p, file.n, sec, &err))
		die(&err);
}

static int minisign_gen(char **argv)
{
	BUF_AUTO pub = BUF_INIT(4096);
	BUF_AUTO sec = BUF_INIT(4096);
	struct minisig_secret key;
	struct err err = ERR_INIT;
	uint8_t seed[32];

	randombytes_buf(seed, sizeof(seed));
	minisig_from_seed(seed, &key);
	if (minisig_public_file(&key.pub, &pub, &err) || minisig_secret_file(&key, &sec, &err) ||
	    io_write_new(AT_FDCWD, argv[0], 0644, pub.p, pub.n, &err) ||
	    io_write_new(AT_FDCWD, argv[1], 0600, sec.p, sec.n, &err))
		die(&err);
	return 0;
}

static void read_message(struct buf *msg)
{
	struct err err = ERR_INIT;
	size_t n = 1;

	while (n) {
		if (buf_reserve(msg, 65536, &err))
			die(&err);
		n = get(msg->p + msg->n, 65536);
		msg->n += n;
	}
}

static int minisign_verify(char **argv)
{
	BUF_AUTO pub_file = BUF_INIT(4096);
	BUF_AUTO sig = BUF_INIT(65536);
	BUF_AUTO msg = BUF_INIT(SMALL_MAX);
	char comment[MINISIG_COMMENT_MAX];
	struct minisig_public pub;
	struct err err = ERR_INIT;

	load(argv[0], &pub_file);
	load(argv[1], &sig);
	read_message(&msg);
	if (minisig_public_file_parse((char *)pub_file.p, pub_file.n, &pub, &err) ||
	    minisig_verify(&pub, msg.p, msg.n, (char *)sig.p, sig.n, comment, &err))
		die(&err);
	puts(comment);
	return 0;
}

static int minisign(int argc, char **argv)
{
	BUF_AUTO out = BUF_INIT(65536);
	BUF_AUTO msg = BUF_INIT(SMALL_MAX);
	struct minisig_secret sec;
	struct err err = ERR_INIT;

	if (argc == 3 && !strcmp(argv[0], "gen"))
		return minisign_gen(argv + 1);
	if (argc == 3 && !strcmp(argv[0], "verify"))
		return minisign_verify(argv + 1);
	if (argc == 2 && !strcmp(argv[0], "public")) {
		load_secret(argv[1], &sec);
		if (minisig_public_file(&sec.pub, &out, &err))
			die(&err);
	} else if (argc == 3 && !strcmp(argv[0], "sign")) {
		load_secret(argv[1], &sec);
		read_message(&msg);
		if (minisig_sign(&sec, msg.p, msg.n, argv[2], &out, &err))
			die(&err);
	} else {
		return 64;
	}
	put(&out);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = argc - 2;

	if (sodium_init() < 0)
		return 3;
	argv += 2;
	if (!strcmp(what, "keygen"))
		return keygen();
	if (!strcmp(what, "recipient") && n == 1)
		return recipients(argv);
	if (!strcmp(what, "encrypt") && n >= 2)
		return encrypt(n, argv);
	if (!strcmp(what, "encrypt-pass") && n >= 1)
		return encrypt_pass(n, argv);
	if (!strcmp(what, "decrypt") && n >= 1)
		return decrypt(n, argv, false);
	if (!strcmp(what, "decrypt-pass") && n == 1)
		return decrypt(n, argv, true);
	if (!strcmp(what, "decrypt-at") && n == 3)
		return decrypt_at(argv);
	if (!strcmp(what, "reseal") && n == 2)
		return reseal(argv);
	if (!strcmp(what, "minisign"))
		return minisign(n, argv);
	fprintf(stderr, "agetool: wrong usage\n");
	return 64;
}
