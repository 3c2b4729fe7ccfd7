#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_Digest("nix", 3, digest, &length, EVP_sha256(), NULL);
    printf("crc %08lx sha256 %02x%02x\n", crc32(0, (const unsigned char *) "nix", 3), digest[0], digest[1]);
    return 0;
}
