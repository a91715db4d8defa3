import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { StaffProvider } from './engine/staff.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/page.css';
import './styles/room.css';
import './styles/stage.css';
import './styles/desk.css';
import './styles/faces.css';
import './styles/audit.css';
import { SpeechProvider } from './texts/use-language.tsx';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <SpeechProvider>
      <StaffProvider>
        <App />
      </StaffProvider>
    </SpeechProvider>
  </StrictMode>,
);
