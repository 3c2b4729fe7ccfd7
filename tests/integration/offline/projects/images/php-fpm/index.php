<?php
header('Content-Type: application/json');
echo json_encode(['php' => PHP_MAJOR_VERSION, 'mb' => extension_loaded('mbstring')]);
