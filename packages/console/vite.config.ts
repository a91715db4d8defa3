import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const engine = `http://127.0.0.1:${process.env['MANAGEMENT_API_PORT'] ?? '9000'}`;

export default defineConfig({
  plugins: [react()],
  base: './',
  build: {
    target: 'es2022',
    // The page's content policy refuses data: URLs for everything but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/trpc': { target: engine, ws: true },
      '/health': engine,
    },
  },
});
