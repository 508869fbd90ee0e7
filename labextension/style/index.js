import './base.css';
import './panel.css';
import './deployments.css';
import './notebook.css';
import './way.css';
import './watching.css';
