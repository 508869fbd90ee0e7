"""The page at ``/``: fill in a row, see the answer. One document, no outside request."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from .signature import Signature

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:46rem;margin:2rem auto;padding:0 1rem}
form{display:grid;grid-template-columns:minmax(8rem,1fr) 2fr;gap:.5rem 1rem;align-items:center}
label{overflow-wrap:anywhere}label small{display:block;opacity:.7}
input,select,button{font:inherit;padding:.35rem .5rem;width:100%;box-sizing:border-box}
button{grid-column:2;cursor:pointer}
output{display:block;margin-top:1.5rem;padding:1rem;border:1px solid;border-radius:.4rem}
output{white-space:pre-wrap;overflow-wrap:anywhere}
"""

_SCRIPT = """
const form=document.querySelector('form'),out=document.querySelector('output');
const fields=JSON.parse(document.getElementById('fields').textContent);
function value(field,text){
  if(text===''&&(field.nullable||field.type!=='string'))return null;
  if(field.type==='boolean')return text==='true';
  if(field.type==='integer'){
    const digits=text.trim();  // sent as they are: a number of the browser's own would lose the last digits
    return /^[+-]?\\d+$/.test(digits)?{raw:digits.replace(/^\\+/,'').replace(/^(-?)0+(?=\\d)/,'$1')}:text;
  }
  if(field.type==='number')return text.trim()!==''&&Number.isFinite(Number(text))?Number(text):text;
  if(field.type==='any'){try{return JSON.parse(text)}catch{return text}}
  return text;
}
form.addEventListener('submit',async event=>{
  event.preventDefault();out.hidden=false;out.textContent='...';
  const parts=fields.map((field,at)=>{
    const made=value(field,form.elements['f'+at].value);
    return JSON.stringify(field.name)+':'+(made&&made.raw!==undefined?made.raw:JSON.stringify(made));
  });
  const headers={'Content-Type':'application/json'},key=form.elements.key.value;
  if(key)headers['X-API-Key']=key;
  try{
    const answer=await fetch('predict',{method:'POST',headers,body:'{"rows":[{'+parts.join(',')+'}]}'});
    const text=await answer.text(),made=JSON.parse(text);
    const told=answer.ok?[]:made.error.details.map(d=>(d.field||'')+': '+d.reason);
    if(!answer.ok)out.textContent=[made.error.message,...told].join('\\n');
    else if(made.errors.length)out.textContent=made.errors.map(e=>e.reason).join('\\n');
    else out.textContent=form.dataset.prediction+' = '+JSON.stringify(made.predictions[0])+'\\n'+made.model;
  }catch(error){out.textContent='No answer: '+error.message}
});
"""


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; connect-src 'self'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def render(signature: Signature, name: str, examples: list[dict[str, Any]]) -> bytes:
    """The page's document."""
    filled = examples[0] if examples else {}
    fields = [{"name": c.key, "type": c.type, "nullable": c.nullable} for c in signature.fields]
    inputs = "\n".join(_input(at, column, filled.get(column.key)) for at, column in enumerate(signature.fields))
    about = f"Serves the predictions of {signature.notebook}." if signature.notebook else ""
    owner = f" Owner: {signature.owner}." if signature.owner else ""
    embedded = json.dumps(fields).replace("<", "\\u003c")
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(name)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><h1>{html.escape(signature.model)}</h1>
<p>{html.escape(about + owner)} <a href="docs.json">API</a> · <a href="signature">signature</a></p>
<form data-prediction="{html.escape(signature.prediction.name)}">
{inputs}
<label for="key">API key <small>if the service asks for one</small></label>
<input id="key" name="key" type="password" autocomplete="off">
<button>Predict</button></form>
<output hidden aria-live="polite"></output>
<script type="application/json" id="fields">{embedded}</script><script>{_SCRIPT}</script></body></html>
"""
    return text.encode("utf-8", "replace")


def _input(at: int, column: Any, value: Any) -> str:
    hint = column.type + (", may be empty" if column.nullable else "")
    label = f'<label for="f{at}">{html.escape(column.key)} <small>{html.escape(hint)}</small></label>'
    if column.type == "boolean":
        choices = [""] * column.nullable + ["true", "false"]
        chosen = "" if value is None else str(value).lower()
        options = "".join(f"<option{' selected' if choice == chosen else ''}>{choice}</option>" for choice in choices)
        return f'{label}<select id="f{at}" name="f{at}">{options}</select>'
    shown = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    mode = ' inputmode="decimal"' if column.type in ("integer", "number") else ""
    return f'{label}<input id="f{at}" name="f{at}" value="{html.escape(shown)}"{mode} autocomplete="off">'
