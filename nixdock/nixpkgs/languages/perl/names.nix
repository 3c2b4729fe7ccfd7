# Perl's modules by their nixpkgs names, which are those of CPAN without colons.
{
  # Debian has `HTTPDaemon` as libhttp-daemon-perl: one rule for all of these.
  regular = ''
    AlgorithmC3 AlgorithmDiff aliased AnyEvent AnyEventHTTP AnyEventRabbitMQ AnyEventRedis ArchiveExtract ArchiveZip
    AuthenOATH AuthenPAM AuthenSASL autobox autovivification BerkeleyDB BHooksEndOfScope boolean Boolean BSDResource
    Cairo CaptureTiny CarpAlways CarpAssert CarpClan CatalystDevel CatalystPluginSession CatalystViewTT CGIFast
    CGISession CGISimple CHI ClassAccessor ClassC3 ClassDataInheritable ClassInspector ClassLoad
    ClassMethodModifiers ClassSingleton ClassTiny ClassXSAccessor Clone CommonSense commonsense CompressRawLzma
    ConfigAny ConfigGeneral ConfigIniFiles ConfigTiny ContextPreserve ConvertASN1 ConvertBinHex ConvertColor
    CookieBaker Coro CpanelJSONXS CryptBcrypt CryptBlowfish CryptCBC CryptDES CryptEksblowfish CryptJWT
    CryptOpenSSLBignum CryptOpenSSLRandom CryptOpenSSLRSA CryptOpenSSLX509 CryptPasswdMD5 CryptRijndael CryptSSLeay
    CryptURandom CryptX curry Curses CursesUI Dancer Dancer2 DataDump DataDumperConcise DataFormValidator
    DataHexDump DataOptList DataPage DataRandom DataUniqid DataUUID DataValidateDomain DataValidateIP DateCalc
    DateManip DateSimple DateTime DateTimeFormatBuilder DateTimeFormatISO8601 DateTimeFormatMySQL DateTimeFormatPg
    DateTimeFormatStrptime DateTimeLocale DateTimeTimeZone DBDCSV DBDMariaDB DBDMock DBDmysql DBDODBC DBDPg DBI
    DBIxClass DBIxClassSchemaLoader DBIxConnector DBIxSimple DevelCover DevelCycle DevelGlobalDestruction
    DevelNYTProf DevelREPL DevelSize DevelStackTrace DevelSymdump DigestBubbleBabble DigestCRC DigestHMAC DigestMD4
    DigestMD5File DigestPerlMD5 DigestSHA3 DistZilla EmailAbstract EmailAddress EmailAddressXS EmailDateFormat
    EmailMessageID EmailMIME EmailMIMEContentType EmailMIMEEncodings EmailReply EmailSender EmailSimple EmailStuffer
    EmailValid EncodeDetect EncodeHanExtra EncodeJIS2K EncodeLocale Error EV EvalClosure ExceptionClass Expect
    experimental ExporterDeclare ExporterTiny ExtUtilsCChecker ExtUtilsConfig ExtUtilsDepends ExtUtilsHelpers
    ExtUtilsInstallPaths ExtUtilsLibBuilder ExtUtilsPkgConfig FCGI FCGIProcManager FFICheckLib FFIPlatypus
    FileBaseDir FileBOM FileCopyRecursive FileDesktopEntry FileFindRule FileFindRulePerl FileFnMatch FileGrep
    FileHandleUnget FileHomeDir FileKeePass FileListing FileMimeInfo FileMMagic FileNFSLock FilePushd
    FileReadBackwards FileRemove FileShare FileShareDir FileShareDirInstall FileSlurp FileSlurper FileSlurpTiny
    FilesysDf FilesysNotifySimple FileTail FileTouch FileType FileWhich FontAFM FontTTF FreezeThaw Furl GD GDGraph
    GDText GeoIP GeoIP2 GetoptLongDescriptive GetoptTabular GitPurePerl GitRepository GnuPG GnuPGInterface Graph
    GraphViz Gtk3 Guard HashFlatten HashMerge HashMergeSimple HashMultiValue HashUtilFieldHashCompat Heap
    HookLexWrap HTMLForm HTMLFormHandler HTMLFromText HTMLMason HTMLParser HTMLQuoted HTMLScrubber HTMLStrip
    HTMLTableExtract HTMLTagset HTMLTemplate HTMLTemplatePro HTMLTidy HTMLTiny HTMLTree HTMLTreeBuilderXPath
    HTTPBody HTTPBrowserDetect HTTPCookieJar HTTPCookies HTTPDaemon HTTPDate HTTPDAV HTTPEntityParser
    HTTPHeadersFast HTTPLite HTTPMessage HTTPMultiPartParser HTTPNegotiate HTTPParser HTTPParserXS HTTPProxy
    HTTPRequestAsCGI HTTPServerSimple HTTPServerSimplePSGI HTTPTiny ImageExifTool ImageInfo ImageMagick Imager
    ImageSize Importer ImportInto indirect Inline InlineC InlinePython IOAIO IOAll IOCapture IOCaptureOutput
    IOCompress IOHTML IOInteractive IOMultiplex IOPager IOPrompt IOSessionData IOSocketINET6 IOSocketSSL
    IOSocketTimeout IOString IOStringy IOStty IOTee IPCRun IPCRun3 IPCShareable IPCShareLite IPCSignal
    IPCSystemSimple IRCUtils IteratorSimple JavaScriptMinifierXS JSON JSONAny JSONMaybeXS JSONParse JSONPP
    JSONValidator JSONWebToken JSONXS librelative LinguaENInflect LinguaStem LinguaTranslit LinuxACL LinuxInotify2
    LinuxPid ListAllUtils ListCompare ListMoreUtils ListMoreUtilsXS ListSomeUtils ListUtilsBy local_lib LocaleCodes
    LocaleGettext LocaleMaketextLexicon LocaleMsgfmt LocalePO locallib LockFileSimple LogAny LogAnyAdapterScreen
    LogContextual LogDispatch LogDispatchConfig LogDispatchFileRotate LogLog4perl LogMessage LogTrace LWPAuthenOAuth
    LWPMediaTypes LWPProtocolHttps LWPUserAgentDetermined LWPxParanoidAgent MailAuthenticationResults MailBox
    MailDKIM MailDMARC MailIMAPClient MailMessage MailSendmail MailSPF MailTools Mason MathBigIntGMP MathCalcUnits
    MathRandomISAAC MathRound MCE MemoizeExpireLRU MethodSignaturesSimple MIMECharset MIMELite MIMETools MIMEtools
    MIMETypes Minion MixinLinewise ModuleBuild ModuleBuildTiny ModuleBuildXSUtil ModuleFind ModuleImplementation
    ModuleInfo ModuleInstall ModuleManifest ModulePluggable ModuleRuntime ModuleRuntimeConflicts ModuleScanDeps
    ModuleSignature ModuleUtil Mojolicious MojoPg MojoSQLite MongoDB MonitoringPlugin Moo Moose MooseAutobox
    MooseXClone MooseXConfigFromFile MooseXDaemonize MooseXGetopt MooseXMethodAttributes MooseXParamsValidate
    MooseXRoleParameterized MooseXStorage MooseXStrictConstructor MooseXTypes MooseXTypesCommon MooseXTypesPathTiny
    MooseXTypesURI MooXCmd MooXHandlesVia MooXOptions MooXTypesMooseLike Mouse MouseXTypes MP3Info MP3Tag MROCompat
    multidimensional namespaceautoclean namespaceclean NetAddrIP NetAmazonS3 NetAMQP NetCIDR NetCIDRLite NetDBus
    NetDNS NetDNSResolverMock NetDNSResolverProgrammable NetDNSSEC NetDomainTLD NetHTTP NetHTTPSNB NetIdent
    NetIDNEncode NetINET6Glue NetIP NetIPv6Addr NetIRC NetLDAP NetLDAPServer NetLibIDN NetLibIDN2 NetNetmask NetNTP
    NetOAuth NetOpenSSH NetPatricia NetPcap NetServer NetServerCoro NetSFTPForeign NetSMTPSSL
    NetSMTPTLSButMaintained NetSNMP NetSSH NetSSH2 NetSSLeay NetSSLGlue NetStatsd NetTelnet NetTwitter
    NetTwitterLite NetWhoisIP NetXMPP NumberBytesHuman NumberFormat NumberPhone ObjectAccessor ObjectSignature
    OLEStorage_Lite OpenGL OpenOfficeOODoc PackageConstants PackageDeprecationManager PackageStash PackageStashXS
    PackageVariant PadWalker pango PAR ParallelForkManager ParallelPrefork ParamsClassify ParamsUtil ParamsValidate
    ParamsValidationCompiler PARDist PARPacker ParseDebControl ParseRecDescent ParseSyslog ParseWin32Registry
    ParseYapp PathClass PathTiny PDFAPI2 PDFBuilder PDFCreate Pegex PerlCritic PerlIOeol PerlIOgzip PerlIOLayers
    PerlIOutf8_strict PerlIOviadynamic Plack PlackMiddlewareDebug PlackMiddlewareReverseProxy PlackMiddlewareSession
    PlackTestExternalServer PodCoverage PodMarkdown PodParser PodPOM PodSimple PodSpell PodWeaver POE POSIXAtFork
    POSIXstrftimeCompiler PPI PPIxRegexp PPIxUtilities ProbePerl ProcDaemon ProcPIDFile ProcProcessTable ProcSimple
    ProcWait3 Readonly ReadonlyX Redis RedisFast RegexpAssemble RegexpCommon RegexpGrammars RegexpIPv6 RegexpTrie
    RESTClient RoleHasMessage RoleTiny RPCXML RTClientREST SafeIsa ScalarListUtils ScopeGuard ScopeUpper SDL
    SearchXapian Sereal SerealDecoder SerealEncoder ServerStarter SessionToken SetInfinite SetIntSpan SetObject
    SetScalar ShellCommand ShellConfigGenerate SmartComments SNMPInfo SOAPLite Socket6 SocketGetAddrInfo
    SortNaturally SortVersions Specio SpecioLibraryPathTiny Spiffy SpreadsheetParseExcel SpreadsheetRead
    SpreadsheetWriteExcel SpreadsheetXLSX SQLAbstract SQLSplitStatement SQLStatement SQLTranslator StatisticsBasic
    StatisticsDescriptive StreamBuffered strictures StringApprox StringCRC32 StringDiff StringErrf StringEscape
    StringFormat StringFormatter StringParity StringPrint StringRandom StringRewritePrefix StringShellQuote
    StringSimilarity StringTruncate StringUtil SubExporter SubExporterProgressive SubHandlesVia SubIdentify SubInfo
    SubInstall SubName SubOverride SubPrototype SubQuote SubUplevel SVG SVGGraph Switch SymbolGlobalName
    SyntaxKeywordTry SysHostnameLong SysMmap SystemCommand SysVirt TAPHarnessArchive TaskWeaken TemplatePluginClass
    TemplateTiny TermEncoding TermProgressBar TermReadKey TermReadLineGnu TermReadPassword TermShell TermShellUI
    TermSize TermSizeAny TermSizePerl TermTable TermUI TestBase TestClass TestCommand TestCPANMeta TestDeep
    TestDifferences TestDistManifest TestException TestFatal TestFile TestFileContents TestFileShareDir TestHarness
    TestLeakTrace TestLongString TestLWPUserAgent TestManifest TestMemoryCycle TestMockModule TestMockObject
    TestMockTime TestModern TestMost TestNeeds TestNoWarnings TestNumberDelta TestOutput TestPod TestPodCoverage
    TestPostgresql TestRefcount TestRequires TestRequiresInternet TestScript TestSharedFork TestSpec TestSubCalls
    TestTCP TestTempDir TestTime TestTrap TestUseAllModules TestUtf8 TestVersion TestWarn TestWarnings
    TestWithoutModule TestWWWMechanize TestWWWMechanizePSGI TestYAML TextAffixes TextAligner TextAspell
    TextAutoformat TextBalanced TextBibTeX TextCharWidth TextCSV TextCSV_XS TextCSVEncoded TextDiff TextFormat
    TextGlob TextHunspell TextIconv TextMarkdown TextMultiMarkdown TextPatch TextPDF TextQuoted TextReform TextRoman
    TextSimpleTable TextSoundex TextTable TextTabularDisplay TextTemplate TextTrim TextUnaccent TextUnidecode
    TextvFileasData TextWikiFormat TextWrapI18N Throwable TieCacheLRU TieCPHash TieCycle TieHandleOffset
    TieHashIndexed TieHashRegex TieIxHash TieToObject TimeClock TimeDate TimeDuration TimeDurationParse TimeFormat
    TimeMoment TimeParseDate TimePeriod TreeDAGNode TreeSimple TreeSimpleVisitorFactory TryTiny TryTinyByClass
    TypesSerialiser TypeTiny TypeTinyXS UnicodeCaseFold UnicodeLineBreak UnicodeMap UnicodeMap8 UnicodeString
    UnicodeStringprep UNIVERSALcan UNIVERSALisa UNIVERSALrequire URI URIcpan URIEncode URIEscapeXS URIFind
    URIFromHash URIQuery URITemplate URIws URLEncode UUID UUIDTiny VariableMagic Version VersionNext WebMachine
    WWWCurl WWWFormUrlEncoded WWWMechanize WWWRobotRules X11Protocol X11XCB XMLAtom XMLDOM XMLDumper XMLEncoding
    XMLFeedPP XMLFilterBufferText XMLGenerator XMLGrove XMLHandlerYAWriter XMLHashXS XMLLibXML XMLLibXMLSimple
    XMLLibXSLT XMLMini XMLNamespaceSupport XMLParser XMLParserLite XMLRegExp XMLRPCLite XMLRSS XMLRSSLibXML XMLSAX
    XMLSAXBase XMLSAXExpat XMLSAXWriter XMLSemanticDiff XMLSimple XMLStream XMLTokeParser XMLTreePP XMLTwig
    XMLValidate XMLWriter XMLXPath XMLXPathEngine XSObjectMagic XSParseKeyword XString YAML YAMLLibYAML YAMLPP
    YAMLSyck YAMLTiny
  '';

  # Those that Debian calls by another rule.
  called = {
    AppCpanminus = "cpanminus";
    Appcpanminus = "cpanminus";
    CGI = "libcgi-pm-perl";
    CatalystRuntime = "libcatalyst-perl";
    DBDSQLite = "libdbd-sqlite3-perl";
    HTMLFormatter = "libhtml-format-perl";
    IOTty = "libio-pty-perl";
    LWP = "libwww-perl";
    PerlMagick = "libimage-magick-perl";
    PerlTidy = "perltidy";
    SGMLSpm = "libsgmls-perl";
    Starman = "starman";
    TemplateToolkit = "libtemplate-perl";
    Tk = "perl-tk";
    libapreq2 = "libapache2-request-perl";
    libintl_perl = "libintl-perl";
    mod_perl2 = "libapache2-mod-perl2";
    rename = "rename";
  };

  # Those that come with Perl itself.
  core = ''
    autodie bignum Carp DataDumper DBFile DigestSHA EncodeAlias ExtUtilsMakeMaker IPCSysV libnet LocaleMaketext
    MIMEBase64 NetPing parent PerlOSType podlators Storable SysSyslog TermANSIColor TestSimple ThreadQueue threads
    threadsshared TieFile TieRefHash TimeHiRes TimeLocal TimePiece version
  '';
}
