# shellcheck shell=bash
# The slimming: what no panel has a use for.

# Folders of drivers that a Raspberry Pi and QEMU's virt have nothing for. Its graphics (vc4) need the core of media/cec, and that
# the one of media/rc.
no_drivers=(accessibility/speakup ata atm bcma bus/fsl-mc crypto/caam crypto/hisilicon crypto/marvell dma/qcom
	firewire gpu/drm/amd gpu/drm/nouveau gpu/drm/radeon gpu/drm/msm gpu/drm/rockchip gpu/drm/etnaviv
	gpu/drm/exynos gpu/drm/hisilicon gpu/drm/imx gpu/drm/mediatek gpu/drm/tegra gpu/drm/xlnx hwtracing infiniband
	isdn media/{[!cr]*,common,radio,rc/keymaps,cec/{platform,usb}} message mtd
	net/ethernet/mellanox net/ethernet/intel net/ethernet/broadcom/bnxt
	net/ethernet/broadcom/bnx2x net/ethernet/chelsio net/ethernet/cavium net/ethernet/marvell net/ethernet/qlogic
	net/ethernet/netronome net/ethernet/hisilicon net/ethernet/amazon net/ethernet/sfc net/ethernet/freescale
	net/ethernet/huawei net/ethernet/pensando net/wireless/ath net/wireless/intel net/wireless/marvell net/wireless/mediatek
	net/wireless/ti net/wireless/rsi net/wwan nvme nvdimm parport pcmcia scsi staging/media target thunderbolt ufs vfio
	iommu/iommufd soundwire remoteproc/qcom* slimbus)
# Units that have nothing to do on a root that is read-only, with /var in RAM and nobody at a console.
no_units=(dpkg-db-backup.{service,timer} e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target ldconfig.service
	systemd-{journal-catalog-update,journal-flush,machine-id-commit,modules-load,network-generator}.service
	systemd-{networkd-persistent-storage,pstore,random-seed,udev-load-credentials,update-done}.service
	kmod-static-nodes.service modprobe@{configfs,drm,fuse}.service dev-{hugepages,mqueue}.mount
	sys-{fs-fuse-connections,kernel-config,kernel-debug,kernel-tracing}.mount proc-sys-fs-binfmt_misc.automount)
no_generators=(getty gpt-auto hibernate-resume rc-local run ssh system-update sysv tpm2)
no_firmware=(brcm/bcm43xx* brcm/brcmfmac*pcie* "brcm/*APCNET*" "brcm/*VALLEYVIEW*" "brcm/*apple*")

# slim FOLDER
slim() {
	local folder=$1 name kernel
	kernel=$(echo "$folder"/usr/lib/modules/*)
	for name in "${no_drivers[@]}"; do
		# shellcheck disable=SC2086
		rm -rf "$kernel"/kernel/drivers/$name
	done
	rm -rf "$kernel"/kernel/sound/{firewire,pci,soc/{amd,apple,fsl,hisilicon,intel,mediatek,meson,qcom,rockchip,samsung,sof,sunxi,tegra}}
	for name in "${no_units[@]}"; do
		ln -sf /dev/null "$folder/etc/systemd/system/$name"
	done
	for name in "${no_generators[@]}"; do
		rm -f "$folder/usr/lib/systemd/system-generators/systemd-$name-generator"
	done
	for name in "${no_firmware[@]}"; do
		# shellcheck disable=SC2086
		rm -rf "$folder"/usr/lib/firmware/$name
	done
	find "$folder"/usr/lib/linux-image-* -mindepth 1 -maxdepth 1 ! -name broadcom -exec rm -rf {} +
	rm -rf "$folder"/var/cache/apt "$folder"/var/lib/apt "$folder"/var/log/* "$folder"/var/cache/* \
		"$folder"/usr/share/doc-base "$folder"/usr/share/{bug,menu,pixmaps,zsh} "$folder"/etc/{machine-id,hostname} \
		"$folder"/usr/lib/systemd/catalog "$folder"/var/lib/dpkg/*-old "$folder"/var/lib/dpkg/lock* \
		"$folder"/etc/*- "$folder"/etc/.pwd.lock "$folder"/etc/ssh/ssh_host_* "$folder"/etc/apt \
		"$folder"/var/lib/systemd/catalog "$folder"/usr/sbin/policy-rc.d "$folder"/etc/dpkg/dpkg.cfg.d/panel
}
