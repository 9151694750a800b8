<?php

require __DIR__ . '/../vendor/autoload.php';

$greeting = new Hello\Greeting('PHP');
header('Content-Type: text/plain; charset=utf-8');
echo $greeting->text(), "\n", $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], "\n";
