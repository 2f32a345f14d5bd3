/* global Hls */
import { drive } from './drive.js';

drive(async ({ video, manifest, license, fault }) => {
  const player = new Hls({ 
    emeEnabled: true,
    drmSystems: license ? { 'org.w3.clearkey': { licenseUrl: license } } : {},
  });
  player.on(Hls.Events.ERROR, (_, { type, details, fatal, error }) => {
    if (fatal) fault(`hls.js ${type} ${details}: ${error?.message}`);
  });
  const parsed = new Promise((done) => player.once(Hls.Events.MANIFEST_PARSED, done));
  player.loadSource(manifest);
  player.attachMedia(video);
  await parsed;
  await video.play();
});
