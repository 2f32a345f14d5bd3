/* global dashjs */
import { describe, drive } from './drive.js';

drive(({ video, manifest, license, fault }) => {
  const player = dashjs.MediaPlayer().create();
  player.on(dashjs.MediaPlayer.events.ERROR, ({ error }) => fault(`dash.js ${describe(error)}`));
  player.initialize(video, null, true);
  if (license) player.setProtectionData({ 'org.w3.clearkey': { serverURL: license } });
  player.attachSource(manifest);
});
