#!/bin/sh
# Makes a progressive `cenc` file whose moov comes before its mdat, and a manifest for check.py.
# In such a file, as in no other progressive one, removing boxes moves the samples.
#
#     make-faststart.sh CLEAR.mp4 OUT_DIR
set -eu

clear=${1:?usage: make-faststart.sh CLEAR.mp4 OUT_DIR}
out=${2:?usage: make-faststart.sh CLEAR.mp4 OUT_DIR}
kid=10000000100010001000100000000001
key=3a2a1b68dd2bd9b2eeb25e84c4776668
file=ffmpeg_cenc_faststart.mp4

# md5 TYPE: the hash of all samples of the clear source's only track of that type.
md5() {
    ffmpeg -v error -i "$clear" -map "0:$1:0" -c copy -f streamhash -hash md5 - | sed 's/.*=//'
}

mkdir -p "$out"
ffmpeg -v error -y -i "$clear" -map 0:v:0 -map 0:a:0 -c copy -movflags +faststart \
    -encryption_scheme cenc-aes-ctr -encryption_key "$key" -encryption_kid "$kid" "$out/$file"

cat >"$out/manifest.json" <<END
[
 {
  "file": "$file",
  "keys": ["$kid:$key"],
  "clear_md5": {"video": "$(md5 v)", "audio": "$(md5 a)"}
 }
]
END
