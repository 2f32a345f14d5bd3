// The streams that the cases play: the test pattern and the tone of ../../../fixtures/README.md.
// `capabilities` are what to ask access for.

const AVC = 'avc1.64000c';
const AAC = 'mp4a.40.2';

export const streams = {
  cencAvc: one('shaka_cenc_avc_aac_video.mp4', AVC, 'cenc'),
  cencAac: one('shaka_cenc_avc_aac_audio.mp4', AAC, 'cenc'),
  cencOpus: one('shaka_cenc_vp9_opus_audio.mp4', 'opus', 'cenc'),
  cencVp9: one('shaka_cenc_vp9_opus_video.mp4', 'vp09.00.11.08', 'cenc'),
  cencBoth: both('gpac_cenc16_frag_avc_aac.mp4', 'cenc'),
  clearLead: one('shaka_cenc_clearlead_avc_video.mp4', AVC, 'cenc'),
  keyRotation: one('shaka_cenc_keyrot_avc_video.mp4', AVC, 'cenc'),
  keyRotationBoth: both('gpac_cenc_keyroll_frag_avc_aac.mp4', 'cenc'),
  cbcsAvc: one('shaka_cbcs_avc_aac_video.mp4', AVC, 'cbcs'),
  cbcsAac: one('shaka_cbcs_avc_aac_audio.mp4', AAC, 'cbcs'),
  cbcsAv1: one('shaka_cbcs_av1_opus_video.mp4', 'av01.0.00M.08', 'cbcs'),
  cbcsOpus: one('shaka_cbcs_vp9_opus_audio.mp4', 'opus', 'cbcs'),
  cbcs5to5: one('shaka_cbcs_5_5_avc_video.mp4', AVC, 'cbcs'),
  cbcs5to5Both: both('gpac_cbcs_5_5_frag_avc_aac.mp4', 'cbcs'),
  webmVp9: one('shaka_webm_vp9_opus_video.webm', 'vp9', 'cenc'),
  webmVp9Whole: one('shaka_webm_vp9_nosubsample_video.webm', 'vp9', 'cenc'),
  webmOpus: one('shaka_webm_vp9_opus_audio.webm', 'opus', 'cenc'),
};

function one(file, codec, scheme) {
  const audio = codec === AAC || codec === 'opus';
  const container = file.slice(file.lastIndexOf('.') + 1);
  const type = `${audio ? 'audio' : 'video'}/${container}; codecs="${codec}"`;
  const capability = { contentType: type, encryptionScheme: scheme };
  const capabilities = audio ? { audio: [capability] } : { video: [capability] };
  return { file, type, capabilities };
}

/// A stream with video and audio. No capability is of both.
function both(file, scheme) {
  const [video, audio] = [one(file, AVC, scheme), one(file, AAC, scheme)];
  const type = `video/mp4; codecs="${AVC}, ${AAC}"`;
  return { file, type, capabilities: { ...video.capabilities, ...audio.capabilities } };
}
