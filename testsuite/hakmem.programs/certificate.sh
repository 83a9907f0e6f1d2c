# A certificate and its key, the same on both sides of a comparison.
[ -f ../cert.pem ] ||
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ../key.pem \
    -out ../cert.pem -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>/dev/null
cp ../cert.pem ../key.pem .
