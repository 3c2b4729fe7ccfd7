# Copies an image from a registry to a docker-archive; run by a static busybox.
export HOME=$NIX_BUILD_TOP SSL_CERT_FILE=$skopeo/certificates.pem
"$skopeo/bin/skopeo" \
  --policy "$skopeo/policy.json" \
  --tmpdir "$NIX_BUILD_TOP" \
  --override-os "$os" \
  --override-arch "$arch" \
  ${variant:+--override-variant "$variant"} \
  copy --src-tls-verify="$tlsVerify" \
  "docker://$imageName@$imageDigest" \
  "docker-archive://$out:$finalImageName:$finalImageTag"
