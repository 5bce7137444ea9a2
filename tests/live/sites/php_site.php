<?php
// Gates written with gregwar/captcha: the phrase stands in the session, one at a time.
// /<captcha>/<mode>/<shown>/item/<number> is a page behind one.
require_once 'Gregwar/Captcha/autoload.php';

use Gregwar\Captcha\CaptchaBuilder;

function page(string $title, string $body): void
{
    echo "<!DOCTYPE html><html lang=\"en\"><head><title>$title</title></head><body>\n";
    echo "<h1>$title</h1>\n$body\n</body></html>";
}

function content(string $number): void
{
    page("Item $number", "<p>Item $number of the catalogue came to the museum by coach, wrapped in
two newspapers, and stood for $number years on a shelf before it was described. It is older than
the house.</p>");
}

function draw(): string
{
    $builder = new CaptchaBuilder();
    $picture = $builder->build()->get();
    $_SESSION['phrase'] = $builder->getPhrase();
    $name = getenv('HOME_OF_SITE') . '/' . hash('sha256', $picture);
    file_put_contents($name, $_SESSION['phrase']);
    return $picture;
}

function challenge(string $captcha): void
{
    $source = $captcha === 'inline-jpeg' ? 'data:image/jpeg;base64,' . base64_encode(draw()) : '/image.php';
    page('Verification', "<form method=\"post\"><p>Type the characters that you see in the picture.</p>
<img src=\"$source\"> <input type=\"text\" name=\"phrase\"> <input type=\"submit\" value=\"OK\"></form>");
}

function may_pass(): bool
{
    if (($_SESSION['left'] ?? 0) < 1 || microtime(true) > $_SESSION['until']) {
        return false;
    }
    $_SESSION['left'] -= 1;
    return true;
}

function gate(string $captcha, string $mode, string $number = ''): void
{
    $phrase = $_SESSION['phrase'] ?? '';
    unset($_SESSION['phrase']);
    if ($_SERVER['REQUEST_METHOD'] !== 'POST' || $phrase === '' || ($_POST['phrase'] ?? '') !== $phrase) {
        challenge($captcha);
        return;
    }
    $passes = ['page' => 1, 'pages' => (int) getenv('PAGES')];
    $_SESSION['left'] = $passes[$mode] ?? 1000000;
    $_SESSION['until'] = microtime(true) + ($mode === 'seconds' ? (float) getenv('SECONDS') : 1e6);
    if ($number !== '') {
        $_SESSION['left'] -= 1;
        content($number);
        return;
    }
    header('Location: ' . ($_GET['next'] ?? $_SESSION['wanted']), true, 302);
}

session_start();
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/image.php') {
    header('Content-Type: image/jpeg');
    echo draw();
} elseif (preg_match('#^/([\w-]+)/(\w+)/(\w+)/captcha$#', $path, $at)) {
    gate($at[1], $at[2]);
} elseif (preg_match('#^/([\w-]+)/(\w+)/(\w+)/item/(\d+)$#', $path, $at)) {
    [, $captcha, $mode, $shown, $number] = $at;
    if ($_SERVER['REQUEST_METHOD'] === 'GET' && may_pass()) {
        content($number);
    } elseif ($shown === 'inline') {
        gate($captcha, $mode, $number);
    } else {
        $_SESSION['wanted'] = $path;
        $to = "/$captcha/$mode/$shown/captcha";
        header('Location: ' . ($shown === 'fixed' ? $to : "$to?next=$path"), true, 302);
    }
} else {
    http_response_code(404);
}
