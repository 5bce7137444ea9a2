// Gates written with svg-captcha and express-session: one answer a session, in a picture or inline.
// /<captcha>/<mode>/<shown>/item/<number> is a page behind one.
const { createHash } = require("node:crypto");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const express = require("express");
const session = require("express-session");
const svgCaptcha = require("svg-captcha");

const { HOME_OF_SITE, PAGES, PORT, SECONDS } = process.env;
const PASSES = { page: 1, pages: Number(PAGES) };
const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

const page = (title, body) => `<!DOCTYPE html><html lang="en"><head><title>${title}</title></head>
<body><h1>${title}</h1>\n${body}\n</body></html>`;
const content = (number) => page(`Item ${number}`, `<p>Item ${number} of the catalogue came to the
museum by coach, wrapped in two newspapers, and stood for ${number} years on a shelf before it was
described. It is older than the house.</p>`);

function draw(request) {
  const { text, data } = svgCaptcha.create();
  request.session.captcha = text;
  writeFileSync(join(HOME_OF_SITE, createHash("sha256").update(data).digest("hex")), text);
  return data;
}

function challenge(request, response) {
  const inline = request.params.captcha === "inline-svg";
  const picture = inline ? draw(request) : '<img src="/captcha.svg" alt="captcha">';
  response.send(page("Type the characters", `<form method="post">${picture}
<input type="text" name="captcha" required><button>Verify</button></form>`));
}

function mayPass(passes) {
  if (!(passes?.left > 0) || Date.now() > passes.until) return false;
  passes.left -= 1;
  return true;
}

function gate(request, response) {
  const { mode, number } = request.params;
  const answer = request.session.captcha;
  delete request.session.captcha;
  if (request.method !== "POST" || !answer || request.body.captcha !== answer)
    return challenge(request, response);
  if (number && mode === "page") return response.send(content(number));
  const until = Date.now() + (mode === "seconds" ? 1000 * SECONDS : 1e9);
  request.session.passes = { left: PASSES[mode] ?? 1e6, until };
  response.redirect(number ? request.path : (request.query.next ?? request.session.wanted));
}

app.get("/captcha.svg", (request, response) => response.type("svg").send(draw(request)));
app.all("/:captcha/:mode/:shown/item/:number", (request, response) => {
  const { captcha, mode, shown, number } = request.params;
  if (request.method === "GET" && mayPass(request.session.passes))
    return response.send(content(number));
  if (shown === "inline") return gate(request, response);
  request.session.wanted = request.path;
  const to = `/${captcha}/${mode}/${shown}/captcha`;
  response.redirect(shown === "fixed" ? to : `${to}?next=${request.path}`);
});
app.all("/:captcha/:mode/:shown/captcha", gate);
app.listen(Number(PORT), "127.0.0.1");
