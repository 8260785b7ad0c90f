/* agefile: an age file on a medium, read at random: only the 64 KiB segments that are asked for are read and
 * authenticated.
 *
 * agefile_open → agefile_read … → agefile_close.  One thread at a time per handle, which keeps a segment and
 * a cipher's state.
 * Errors: those of age.h (the caller names the file), E-IO-02.
 */
#ifndef BKP_READ_VAULT_AGEFILE_H
#define BKP_READ_VAULT_AGEFILE_H

#include <stddef.h>
#include <stdint.h>

struct age_identity;
struct buf;
struct err;
struct store_file;

struct agefile;

/* Takes the file: *file is closed for the caller on success. */
int agefile_open(struct store_file *file, const struct age_identity *ids, size_t n, struct agefile **ret,
    struct err *err) __attribute__((warn_unused_result));
void agefile_close(struct agefile *f);
uint64_t agefile_size(const struct agefile *f); /* plaintext bytes */
/* Exactly n plaintext bytes from offset; beyond the end is E-AGE-05. */
int agefile_read(struct agefile *f, uint64_t offset, void *p, size_t n, struct err *err)
    __attribute__((warn_unused_result));

/* For a caller that reads the whole file in order by other means: where the first segment begins in the file,
 * how long segment `index` is there (0: there is none), and its plaintext (agefile_segment() - AGE_TAG bytes;
 * out may equal c). */
uint64_t agefile_start(const struct agefile *f);
size_t agefile_segment(const struct agefile *f, uint64_t index);
int agefile_unseal(struct agefile *f, uint64_t index, const void *c, void *out, struct err *err)
    __attribute__((warn_unused_result));

/* Appends the whole plaintext (out's ceiling counts) and gives the SHA-256 of the very ciphertext that was
 * decrypted. */
int agefile_slurp(struct store_file *file, const struct age_identity *ids, size_t n, struct buf *out,
    uint8_t ret_sha256[32], struct err *err) __attribute__((warn_unused_result));

#endif
