# source docs/hosting/tls.sh: encryption between web servers, scheduler and workers of a cluster that others use, too.
# Made once, kept in $DLCORE_STATE/tls (yours alone): one certificate, which all of them show and ask for. Whoever has not
# got its key can neither read what passes nor hand in anything.
: "${DLCORE_STATE:?a folder that all nodes see}"
tls=$DLCORE_STATE/tls
if [ ! -e "$tls/cert.pem" ]; then
  (
    umask 077
    mkdir -p "$tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=playground \
      -keyout "$tls/key.pem" -out "$tls/cert.new" 2>/dev/null && mv "$tls/cert.new" "$tls/cert.pem"
  )
fi
export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=true
export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=$tls/cert.pem
for role in SCHEDULER WORKER CLIENT; do
  export "DASK_DISTRIBUTED__COMM__TLS__${role}__CERT=$tls/cert.pem" "DASK_DISTRIBUTED__COMM__TLS__${role}__KEY=$tls/key.pem"
done
export DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES='[]' DASK_DISTRIBUTED__WORKER__HTTP__ROUTES='[]' # would not be encrypted
